"""Exercises of `test-convergence-profiler`: one run, as it is recorded and summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter as now
from time import sleep as pause
from types import MappingProxyType
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable


class OwnError(Exception):
    """An error that no library knows."""


#: Whatever a step raises ends its run.
ERRORS = [RuntimeError, ZeroDivisionError, OwnError]
NOTHING: Mapping[int, float] = MappingProxyType({})


class WatchedOptimizer:
    """Parameters and a rate, and no more: these checks do not need `step`."""

    def __init__(self, parameters, learning_rate=0.1):
        self.parameters, self.learning_rate, self.momentum = list(parameters), learning_rate, 0.0

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None


def watched_kind(student: Student) -> Any:
    """Return a class of watched optimizers; they are SGDs too, for whoever asks."""
    return type("WatchedOptimizer", (WatchedOptimizer, student.get("SGD", object)), {})


def play_script(
    student: Student,
    profiler: Any,
    name: str,
    losses: Sequence[Any],
    gradients: Sequence[Any] | None = None,
    seconds: float = 0.0,
    slow: Mapping[int, float] = NOTHING,
    initial_loss: float | None = None,
    error: type[Exception] = RuntimeError,
) -> tuple[Any, int]:
    """Profile a run whose losses are given (text: raise that); return profile, number of calls.

    Calls take so many seconds, those in `slow` so many times as long.
    """
    w = Variable([0.0, 0.0])
    calls: list[int] = []

    def training_function():
        calls.append(len(calls))
        w.grad = Variable(gradients[calls[-1]] if gradients else [0.3, 0.4])
        if seconds:
            pause(seconds * slow.get(calls[-1], 1.0))
        if isinstance(losses[calls[-1]], str):
            raise error(losses[calls[-1]])
        return losses[calls[-1]]

    if initial_loss is None:
        initial_loss = losses[0] if losses and not isinstance(losses[0], str) else 1.0
    profile = profiler.profile_optimizer_convergence(
        name, watched_kind(student)([w]), training_function, initial_loss, max_steps=len(losses)
    )
    return profile, len(calls)


def convergence_step_of(student: Student, losses: Sequence[Any]) -> Any:
    """Return the convergence step of a run with these losses."""
    return play_script(student, student.OptimizerConvergenceProfiler(), "run", losses)[0][
        "convergence_step"
    ]


def health_of(student: Student, gradients: Sequence[Any]) -> Any:
    """Return the verdict on a run with these gradients."""
    profiler, losses = student.OptimizerConvergenceProfiler(), [1.0] * len(gradients)
    return play_script(student, profiler, "run", losses, gradients)[0]["gradient_health"]


def records_every_step(student: Student, losses: list[float], rates: list[float]) -> Values:
    """Up to max_steps calls; each adds its loss, rate and duration to the record."""
    calls = []
    w = Variable([1.0])
    w.grad = Variable([0.5])
    optimizer = watched_kind(student)([w], learning_rate=0.4)

    def training_function():
        calls.append(0)
        optimizer.learning_rate = rates[(len(calls) - 1) % len(rates)]
        return losses[(len(calls) - 1) % len(losses)]

    profiler = student.OptimizerConvergenceProfiler()
    run = profiler.profile_optimizer_convergence
    profile = run("run", optimizer, training_function, losses[0], max_steps=3)
    first_calls, last_rate = len(calls), optimizer.learning_rate
    run("long", optimizer, training_function, losses[0])
    long_calls = len(calls)
    run("nothing", optimizer, training_function, losses[0], max_steps=0)
    return {
        "losses": profiler.convergence_history["run"],
        "rates": profiler.learning_rates["run"],
        "durations": profiler.step_times["run"],
        "total_steps": profile["total_steps"],
        "calls": first_calls,
        "rate after these calls": last_rate,
        "calls by default": long_calls - first_calls,
        "calls where max_steps is 0": len(calls) - long_calls,
    }


def norm_is_global(student: Student, gradients: list[Any]) -> Values:
    """Gradient norms take one root of the sum of squares over all parameters."""
    shapes = [() if gradient is None else np.shape(gradient) for gradient in gradients]
    parameters = [Variable(np.zeros(shape, dtype=np.float32)) for shape in shapes]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else Variable(gradient)
    profiler = student.OptimizerConvergenceProfiler()
    profiler.profile_optimizer_convergence(
        "run", watched_kind(student)(parameters), lambda: 1.0, 1.0, max_steps=1
    )
    idle = watched_kind(student)([Variable(np.zeros(shape)) for shape in shapes])
    profiler.profile_optimizer_convergence("idle", idle, lambda: 1.0, 1.0, max_steps=1)
    return {
        "gradient_norms": profiler.gradient_norms["run"][:1],
        "gradient_norms without any gradient": profiler.gradient_norms["idle"][:1],
    }


def failing_step_ends_the_run(student: Student, losses: list[float | str]) -> Values:
    """Failing steps end the run, and what was recorded stays."""
    profiler = student.OptimizerConvergenceProfiler()
    failing = [isinstance(loss, str) for loss in losses].index(True)
    profile, calls = play_script(
        student, profiler, "run", losses, seconds=0.001, slow={failing: 10.0}
    )
    records = (profiler.gradient_norms, profiler.learning_rates, profiler.step_times)
    times = profiler.step_times["run"]
    others = [play_script(student, profiler, "other", losses, error=error)[1] for error in ERRORS]
    return {
        "calls where other errors are raised": others,
        "losses": profiler.convergence_history["run"],
        "records": [len(record["run"]) for record in records],
        "total_steps": profile["total_steps"],
        "final_loss": profile["final_loss"],
        "calls": calls,
        "average_step_time, in averages of the record": (
            profile["average_step_time"] * len(times) / sum(times) if times else 0.0
        ),
    }


def explosion_ends_the_run(student: Student, norms: list[float], infinite: list[float]) -> Values:
    """Gradient norms over 1e6, infinity included, end the run."""
    profiler, calls = student.OptimizerConvergenceProfiler(), []
    for run in (norms, infinite):
        gradients = [[norm, 0.0] for norm in run]
        calls.append(play_script(student, profiler, "run", [1.0] * len(run), gradients)[1])
    return {"calls": calls}


def rising_loss_has_not_converged(
    student: Student, runs: list[list[float]], order: list[int]
) -> Values:
    """Rising or falling, a loss has converged only when it changes by under 1e-6."""
    return {"converged": [convergence_step_of(student, runs[run]) is not None for run in order]}


def convergence_step_is_the_first(student: Student, runs: list[list[float]], later: int) -> Values:
    """Convergence is the first step, from 0, that changes the loss by under 1e-6; never 0."""
    before = [10.0 * (later - step) for step in range(later)]
    return {"convergence_step": [convergence_step_of(student, before + losses) for losses in runs]}


def stability_needs_a_window(student: Student, losses: list[float], lengths: list[int]) -> Values:
    """stability_score is 0.0 until there are 10 losses."""
    profiler = student.OptimizerConvergenceProfiler()
    runs = [play_script(student, profiler, f"{n} losses", losses[:n])[0] for n in lengths]
    return {"a score above 0": [bool(run["stability_score"] != 0.0) for run in runs]}


def stability_orders_runs(student: Student, spreads: list[float]) -> Values:
    """stability_score lies in [0, 1], is higher for steadier runs, sees the last 10 losses."""
    profiler = student.OptimizerConvergenceProfiler()
    runs = [[0.5 + spread, 0.5 - spread] * 5 for spread in spreads]
    runs += [[0.0] * 10, [-1.0, 1.0] * 5, [-0.4, -0.6] * 5]
    runs += [[0.9, 0.1] * 5 + runs[2], [0.5] * 10, [0.9] + [0.5] * 9, [0.5] * 9 + [0.9]]
    profiles = [play_script(student, profiler, f"run {i}", run)[0] for i, run in enumerate(runs)]
    scores = [profile["stability_score"] for profile in profiles]
    order = sorted(range(len(spreads)), key=lambda run: -scores[run])
    return {
        "scores": scores[:6],
        "spreads, steadiest first": [spreads[run] for run in order],
        "change of a score by a wild past": scores[6] - scores[2],
        "steady above one outlier, first or last": [scores[7] - score for score in scores[8:]],
    }


def exploding_gradients(student: Student, worst: list[float]) -> Values:
    """Health is "exploding" with a norm above 1e6, infinite or NaN."""
    runs = [[[1.0, 0.0], [1.0, 0.0], [norm, 0.0], [1.0, 0.0]] for norm in worst]
    profiler = student.OptimizerConvergenceProfiler()
    play_script(student, profiler, "first", [1.0] * 2, [[1.1e6, 0.0]] * 2)
    after, _ = play_script(student, profiler, "second", [1.0] * 2)
    broken, _ = play_script(student, profiler, "third", [1.0, float("nan"), 1.0])
    return {
        "next run of that profiler": after["gradient_health"],
        "where a loss is NaN and no norm": broken["gradient_health"],
        "exploding": [health_of(student, gradients) == "exploding" for gradients in runs],
        "where the first step explodes": health_of(student, [[1.1e6, 0.0], [1.0, 0.0]]),
    }


def other_healths(
    student: Student, norms: list[list[Any] | list[float]], order: list[int]
) -> Values:
    """Health is unknown, vanishing, unstable or healthy by the table in 6.2."""
    runs = [[[norm, 0.0] for norm in norms[run]] for run in order]
    return {"gradient_health": [health_of(student, gradients) for gradients in runs]}


def profile_has_ten_entries(student: Student, losses: list[float], seconds: float) -> Values:
    """Profiles hold ten entries; the average step time is in seconds."""
    profiler = student.OptimizerConvergenceProfiler()
    begin = now()
    profile, _ = play_script(student, profiler, "run", losses, seconds=seconds, slow={0: 4.0})
    elapsed, times = now() - begin, profiler.step_times["run"]
    ratio = profile["average_step_time"] * len(times) / sum(times)
    keys = ["optimizer_name", "total_steps", "convergence_step", "final_loss", "initial_loss"]
    keys += ["loss_reduction", "convergence_rate", "stability_score", "average_step_time"]
    entries = {key: profile[key] for key in [*keys, "gradient_health"]}
    return {
        **entries,
        "convergence_rate times total_steps, in reductions": (
            entries["convergence_rate"] * entries["total_steps"] / entries["loss_reduction"]
        ),
        "average of the recorded times": ratio,
        "sum of the recorded times, in times of the run": sum(times) / elapsed,
    }


def only_watches(
    student: Student, weights: list[float], gradient: list[float], rate: float
) -> Values:
    """Profiling changes no parameter, gradient or rate; each profiler has its own record."""
    w, idle = Variable(weights), Variable([1.0])
    w.grad = Variable(gradient)
    optimizer = watched_kind(student)([w, idle], learning_rate=rate)
    first, second = student.OptimizerConvergenceProfiler(), student.OptimizerConvergenceProfiler()
    losses = [1.0, 2.0, 3.0]  # getting worse is the training's own affair

    def training_function():
        w.data.data[...] += 0.5
        return losses.pop(0)  # and then raises

    first.profile_optimizer_convergence("run", optimizer, training_function, 1.0, max_steps=4)
    seen = {"gradient": snapshot(w.grad)}
    w.grad = Variable([1e9, *gradient[1:]])
    first.profile_optimizer_convergence("explodes", optimizer, lambda: 1.0, 1.0, max_steps=3)
    return {
        **seen,
        "weights": snapshot(w),
        "gradient after an explosion": snapshot(w.grad),
        "gradient that was missing": snapshot(idle.grad),
        "rate": optimizer.learning_rate,
        "runs another profiler knows": list(second.convergence_history),
    }
