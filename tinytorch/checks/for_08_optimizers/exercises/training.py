"""Exercises of `test-training-integration`: train_simple_model."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from tinytorch.checks.observe import numbers_from, snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable, count_uses

#: The parts that ask where the fits come from have one training between them.
PLACES = {"sgd_place": 5.0, "adam_place": -4.0}
#: A place that is not left alone by rounding.
UNROUNDED = 1.0234567


@contextlib.contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put another value in the place of an attribute; unittest.mock takes long to import."""
    own, before = name in vars(owner), getattr(owner, name)
    before = vars(owner).get(name, before)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


@lru_cache(maxsize=8)
def watched_training(student: Student) -> tuple[Any, ...]:
    """Train once; note fits, where each began, how often what was called, prints, and gaps.

    A gap is what lies between a fit and the place where the last step has left it.
    """
    starts, ends, gaps, printed = {}, {}, {}, io.StringIO()
    calls = {"SGD": 0, "Adam": 0}

    def watch(name, kind):
        original = kind.step

        def step(self, *args, **kwargs):
            if not calls[name]:
                starts[name] = numbers_in(self)
            calls[name] += 1
            original(self, *args, **kwargs)
            ends[name] = numbers_in(self)

        return replaced(kind, "step", step)

    with (
        watch("SGD", student.SGD),
        watch("Adam", student.Adam),
        contextlib.redirect_stdout(printed),
    ):
        fits = both_fits(student)
    for name in ends:  # which parameter came to be w, and which b?
        start, end = np.array(starts[name]), np.array(ends[name])
        starts[name] = [start[np.argmin(np.abs(end - x))] for x in fits[name] if end.size]
        gaps[name] = [gap_to(end, x) for x in fits[name] if end.size]
    return fits, starts, calls, printed.getvalue(), gaps


def numbers_in(optimizer: Any) -> list[float]:
    """Return all numbers in the parameters of an optimizer."""
    arrays = [snapshot(parameter) for parameter in getattr(optimizer, "parameters", [])]
    return [float(number) for array in arrays for number in np.ravel(array)]


def gap_to(places: np.ndarray, number: float) -> float:
    """Return what lies between a number and the nearest place; NaN is at NaN."""
    gaps = np.where(np.isnan(places) & np.isnan(number), 0.0, np.abs(places - number))
    return float(np.nanmin(gaps)) if not np.isnan(gaps).all() else math.nan


def both_fits(student: Student) -> dict[str, list[float]]:
    """Train; return w and b of both fits as floats."""
    sgd_w, sgd_b, adam_w, adam_b = numbers_from(student.train_simple_model, 4)
    return {"SGD": [sgd_w, sgd_b], "Adam": [adam_w, adam_b]}


class GaveUp(Exception):
    """A training loop went on for long although it leads nowhere."""


def fits_with(
    student: Student, usual: Mapping[str, int], step: Callable[[Any, str], None], *replacements: Any
) -> dict[str, list[float]]:
    """Train with SGD.step and Adam.step replaced by step(optimizer, name); return the fits."""

    def limited(name, kind):
        left = iter(range(2 * usual[name] + 10))

        def instead(self, *args, **kwargs):
            if next(left, None) is None:  # a loop that waits for the loss to fall would never end
                raise GaveUp
            step(self, name)

        return replaced(kind, "step", instead)

    with contextlib.ExitStack() as stack:
        for replacement in (
            limited("SGD", student.SGD),
            limited("Adam", student.Adam),
            *replacements,
        ):
            stack.enter_context(replacement)
        return both_fits(student)


def put_parameters(optimizer: Any, place: float) -> None:
    """Put all parameters of an optimizer at one place."""
    for parameter in optimizer.parameters:
        parameter.data.data[...] = place


def is_one_of(number: float, places: Collection[float]) -> bool:
    """Say whether a number is one of these places, within what float32 can tell."""
    return any(math.isclose(number, place, rel_tol=1e-5) for place in places)


def fits_at(places: Mapping[str, float]) -> dict[str, list[float]]:
    """Return the fits whose numbers are all at the place of their optimizer."""
    return {name: [place, place] for name, place in places.items()}


@lru_cache(maxsize=8)
def training_without_gradients(
    student: Student, sgd_place: float, adam_place: float
) -> tuple[dict[str, list[float]] | None, dict[str, int], bool]:
    """Train where backward() gives NaN, and an optimizer's first step puts w and b at a place.

    Its later steps do nothing. Return the fits, or None where NaN was too much for the training;
    how many optimizers took steps; and whether they met gradients that backward() did not give.
    """
    usual, places = watched_training(student)[2], {"SGD": sgd_place, "Adam": adam_place}
    stepped: dict[str, list[Any]] = {"SGD": [], "Adam": []}
    unknown, met = {}, []

    def backward(self, *args, **kwargs):
        for leaf in count_uses(self):
            if not leaf._edges:
                if leaf not in unknown:
                    unknown[leaf] = Variable(np.full(leaf.shape, np.nan, leaf.dtype))
                leaf.grad = unknown[leaf]

    def step(optimizer, name):
        for parameter in optimizer.parameters:
            if parameter.grad is not unknown.get(parameter):
                met.append(parameter.grad)
        if not any(optimizer is other for other in stepped[name]):
            stepped[name].append(optimizer)
            put_parameters(optimizer, places[name])
            met.extend(unknown.get(parameter) for parameter in optimizer.parameters)

    try:
        fits = fits_with(student, usual, step, replaced(Variable, "backward", backward))
    except GaveUp:
        fits = fits_at(places)
    except Exception:  # whatever a student's code raises when its gradients are NaN
        fits = None
    numbers = any(np.any(np.abs(snapshot(g)) > 0) for g in met if g is not None)
    return fits, {name: len(optimizers) for name, optimizers in stepped.items()}, numbers


@lru_cache(maxsize=8)
def fits_of_steps_that_put(
    student: Student, sgd_place: float, adam_place: float
) -> dict[str, list[float]]:
    """Train with steps that put w and b at a place, another one for each optimizer."""
    usual, places = watched_training(student)[2], {"SGD": sgd_place, "Adam": adam_place}
    fits, _, _ = training_without_gradients(student, sgd_place, adam_place)
    if fits is not None and all(is_one_of(x, [places[name]]) for name in fits for x in fits[name]):
        return fits
    try:  # does the training only need gradients that are numbers?
        return fits_with(
            student, usual, lambda optimizer, name: put_parameters(optimizer, places[name])
        )
    except Exception:  # whatever a student's code raises when its steps lead nowhere
        return fits_at(places)


def moved_from_the_start(student: Student, name: str) -> bool:
    """Say whether both numbers of a fit are elsewhere than where its training began."""
    fits, starts = watched_training(student)[:2]
    return name in starts and not np.isclose(fits[name], starts[name]).any()


@lru_cache(maxsize=8)
def fits_where_steps_go_astray(
    student: Student, sgd_place: float, adam_place: float
) -> tuple[dict[str, list[bool]], dict[str, list[float]]]:
    """Train with steps that put w and b at a place, and in the second half at NaN.

    Return for each fit whether it is where the last step has put it; and where each run began.
    """
    usual, taken = watched_training(student)[2], {"SGD": 0, "Adam": 0}
    places, last = {"SGD": sgd_place, "Adam": adam_place}, {}
    starts: dict[str, list[float]] = {}

    def step(optimizer, name):
        taken[name] += 1
        starts.setdefault(name, sorted(numbers_in(optimizer)))
        last[name] = places[name] if 2 * taken[name] <= usual[name] else math.nan
        put_parameters(optimizer, last[name])

    try:
        fits = fits_with(student, usual, step)
    except Exception:  # whatever a student's code raises when its weights are NaN
        return {name: [calls > 0] * 2 for name, calls in usual.items()}, starts
    held = {
        name: [name in last and bool(np.isclose(x, last[name], equal_nan=True)) for x in fit]
        for name, fit in fits.items()
    }
    return held, starts


@lru_cache(maxsize=8)
def right_without_steps(student: Student) -> bool:
    """Train with steps that do nothing; say whether any number of the fits comes out right."""
    try:
        fits = fits_with(student, watched_training(student)[2], lambda optimizer, name: None)
    except Exception:  # whatever a student's code raises when its training leads nowhere
        return False
    return any(bool(np.isclose(fit, [2.0, 1.0], atol=0.1).any()) for fit in fits.values())


def follows_its_steps(student: Student, name: str) -> bool:
    """Say whether both numbers of a fit are where its optimizer's steps put them."""
    places = {"SGD": PLACES["sgd_place"], "Adam": PLACES["adam_place"]}
    return all(
        is_one_of(x, [places[name]]) for x in fits_of_steps_that_put(student, **PLACES)[name]
    )


def sgd_finds_the_line(student: Student, x: float) -> Values:
    """Training with SGD comes within 0.1 of w = 2 and b = 1."""
    fits, _, calls, *_ = watched_training(student)
    w, b = fits["SGD"]
    return {
        "w": w,
        "b": b,
        "w * x + b at the given x": w * x + b,
        "calls of SGD.step()": calls["SGD"],
        "the fit comes from SGD.step()": follows_its_steps(student, "SGD"),
    }


def adam_gets_near_the_line(student: Student, xs: list[float], ys: list[float], x: float) -> Values:
    """Training with Adam comes within 1.0 of w = 2 and b = 1, with a far lower loss."""
    fits, _, calls, *_ = watched_training(student)
    w, b = fits["Adam"]
    return {
        "w": w,
        "b": b,
        "mean squared error": float(np.mean((w * np.array(xs) + b - np.array(ys)) ** 2)),
        "w * x + b at the given x": w * x + b,
        "calls of Adam.step()": calls["Adam"],
        "the fit comes from Adam.step()": follows_its_steps(student, "Adam"),
    }


def the_sgd_fit_comes_from_sgd(student: Student, sgd_place: float, adam_place: float) -> Values:
    """Where SGD.step() has left w and b is the SGD fit."""
    return {
        "SGD fit": fits_of_steps_that_put(student, sgd_place, adam_place)["SGD"],
        "training moves the fit": moved_from_the_start(student, "SGD"),
    }


def the_adam_fit_comes_from_adam(student: Student, sgd_place: float, adam_place: float) -> Values:
    """Where Adam.step() has left w and b is the Adam fit."""
    return {
        "Adam fit": fits_of_steps_that_put(student, sgd_place, adam_place)["Adam"],
        "training moves the fit": moved_from_the_start(student, "Adam"),
    }


def the_fits_are_where_the_last_step_left_them(
    student: Student, sgd_place: float, adam_place: float
) -> Values:
    """Both fits are where the last step has left w and b, as they are."""
    places = {"SGD": UNROUNDED, "Adam": -UNROUNDED}
    put = fits_of_steps_that_put(student, *places.values())
    return {
        f"between the fits and {UNROUNDED} or {-UNROUNDED}, where steps put w and b": {
            name: [abs(x - place) for x in put[name]] for name, place in places.items()
        },
        "between the fits and where the last step left w and b": watched_training(student)[4],
        "fits are where the last step put them, be it NaN": fits_where_steps_go_astray(
            student, sgd_place, adam_place
        )[0],
        "a right number where step() does nothing": right_without_steps(student),
    }


def both_start_from_the_same_point(student: Student, sgd_place: float, adam_place: float) -> Values:
    """Both runs start from w = 0.1 and b = 0.0 in every call, and return both."""
    fits, first = watched_training(student)[:2]
    for name, fit in fits.items():
        if any(map(math.isnan, fit)):  # the parameters are told apart by where they end
            first = first | {name: "not known: the fit ended in NaN"}
    starts = {name: [0.0, 0.1] for name in ("SGD", "Adam")}
    starts |= fits_where_steps_go_astray(student, sgd_place, adam_place)[1]
    return {
        "start of what came to be w and b": first,
        "numbers each optimizer holds in a second call": starts,
    }


def the_gradients_come_from_autograd(
    student: Student, sgd_place: float, adam_place: float
) -> Values:
    """Without numbers from backward(), w and b stay where they were put at the first step."""
    fits, stepped, numbers = training_without_gradients(student, sgd_place, adam_place)
    places, usual, seen = {"SGD": sgd_place, "Adam": adam_place}, watched_training(student)[2], {}
    for name, place in places.items():
        # Steps that end at NaN, and fits that become NaN after them, have used backward(). And
        # whether it was the right step that put a number at a place is for the parts above.
        stopped = usual[name] and not stepped[name]
        fit = [math.nan] * 2 if fits is None or stopped else fits[name]
        held = [usual[name] > 0 if math.isnan(x) else is_one_of(x, places.values()) for x in fit]
        seen[name] = [place if hold else x for hold, x in zip(held, fit, strict=True)]
    return {"fits": seen, "numbers for gradients": numbers}


def progress_is_printed(student: Student) -> Values:
    """Progress is printed."""
    lines = watched_training(student)[3].splitlines()
    return {"printed lines with a number": sum(any(map(str.isdigit, line)) for line in lines)}
