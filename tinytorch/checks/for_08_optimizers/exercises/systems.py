"""Exercises of `test-ml-systems-integration`: everything together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from time import sleep as pause
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable
from tinytorch.core.autograd import accumulate as add_gradient


def parabola_steps(optimizer: Any, w: Variable) -> Callable[[], float]:
    """Return a function that does one step on (w - 3)^2, with your autograd and optimizer."""

    def training_function():
        optimizer.zero_grad()
        error = w - 3.0
        loss = error * error
        loss.backward()
        optimizer.step()
        return float(snapshot(loss))

    return training_function


def bowl_steps(
    optimizer: Any, x: Variable, y: Variable, seconds: float = 0.0
) -> Callable[[], float]:
    """Return a function that does one step in a bowl, 1 + x^2 / 2 + 20 y^2 / 2; it begins late."""
    waits = [seconds]

    def training_function():
        if waits:
            pause(waits.pop())
        optimizer.zero_grad()
        at_x, at_y = float(snapshot(x)), float(snapshot(y))
        add_gradient(x, at_x)  # what backward() would add, without a graph
        add_gradient(y, 20.0 * at_y)
        optimizer.step()
        return 1.0 + at_x**2 / 2 + 20.0 * at_y**2 / 2

    return training_function


def line_loss(w: Variable, b: Variable, xs: Sequence[float], ys: Sequence[float]) -> Variable:
    """Return the mean squared error of y = w x + b on some samples."""
    error = w * np.array(xs) + b - np.array(ys)
    return (error * error).mean()


def compare_in_a_bowl(
    student: Student,
    names: Sequence[str],
    rates: Sequence[float],
    momentum: float,
    steps: int,
    seconds: Sequence[float],
) -> Any:
    """Profile SGD, momentum and Adam in the bowl under these names; compare them, once.

    Each begins with a pause of so many seconds: what a step takes does not decide how efficient a
    run is, since that differs from run to run.
    """
    return comparison_in_a_bowl(
        student, tuple(names), tuple(rates), momentum, steps, tuple(seconds)
    )


@lru_cache(maxsize=8)
def comparison_in_a_bowl(
    student: Student,
    names: tuple[str, ...],
    rates: tuple[float, ...],
    momentum: float,
    steps: int,
    seconds: tuple[float, ...],
) -> Any:
    """Do what compare_in_a_bowl says."""
    profiler, profiles = student.OptimizerConvergenceProfiler(), {}
    makers = [
        lambda p: student.SGD(p, learning_rate=rates[0]),
        lambda p: student.SGD(p, learning_rate=rates[1], momentum=momentum),
        lambda p: student.Adam(p, learning_rate=rates[2]),
    ]
    for name, make, wait in zip(names, makers, seconds, strict=True):
        x, y = Variable(3.0), Variable(1.0)
        optimizer = make([x, y])
        profiles[name] = profiler.profile_optimizer_convergence(
            name, optimizer, bowl_steps(optimizer, x, y, wait), 15.5, steps
        )
    return profiler.compare_optimizers(profiles)


def named_after(heading: str, text: str) -> str | None:
    """Return the first word that a text has after a heading, or None."""
    found = re.search(rf"{heading}\W*(\w+)", text)
    return found[1] if found else None


def sweep_the_parabola(student: Student, rates: Sequence[float], steps: int) -> Any:
    """Analyze rates of SGD on the parabola."""

    def training_function(lr, steps):
        w = Variable(0.0)
        optimizer = student.SGD([w], learning_rate=lr)
        step, losses, norms = parabola_steps(optimizer, w), [], []
        for _ in range(steps):
            losses.append(step())
            norms.append(abs(float(snapshot(w.grad))))
        return losses, norms

    return student.OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        student.SGD, list(rates), training_function, steps=steps
    )


def profiles_a_real_training(student: Student, rate: float, steps: int) -> Values:
    """SGD on (w - 3)^2 is recorded as it trains, and not disturbed."""
    w = Variable(0.0)
    optimizer, profiler = (
        student.SGD([w], learning_rate=rate),
        student.OptimizerConvergenceProfiler(),
    )
    profile = profiler.profile_optimizer_convergence(
        "SGD", optimizer, parabola_steps(optimizer, w), 9.0, max_steps=steps
    )
    return {
        "losses": profiler.convergence_history["SGD"],
        "gradient norms": profiler.gradient_norms["SGD"],
        "w": snapshot(w),
        "loss_reduction": profile["loss_reduction"],
    }


def a_schedule_shows_in_the_record(
    student: Student, rate: float, step_size: int, gamma: float, steps: int
) -> Values:
    """StepLR inside the training shows in the recorded rates."""
    w = Variable(0.0)
    optimizer, profiler = (
        student.SGD([w], learning_rate=rate),
        student.OptimizerConvergenceProfiler(),
    )
    scheduler, before, after = student.StepLR(optimizer, step_size=step_size, gamma=gamma), [], []

    def training_function():
        before.append(optimizer.learning_rate)
        w.grad = Variable(1.0)
        optimizer.step()
        scheduler.step()
        after.append(optimizer.learning_rate)
        return 1.0

    profiler.profile_optimizer_convergence("SGD", optimizer, training_function, 1.0, steps)
    rates = list(profiler.learning_rates["SGD"])
    if rates == before:  # the rate may be read before the call as well: then compare the calls
        rates = after
    return {"learning rates after each step": rates, "rate at the end": scheduler.get_lr()}


def three_optimizers_ranked(
    student: Student,
    names: list[str],
    rates: list[float],
    momentum: float,
    steps: int,
    seconds: list[float],
) -> Values:
    """SGD, momentum and Adam in a bowl rank by what they reach in 60 steps."""
    rankings = compare_in_a_bowl(student, names, rates, momentum, steps, seconds)["rankings"]
    return {
        "first to converge": rankings["convergence_speed"][0],
        "final_performance": list(rankings["final_performance"]),
        "stability": list(rankings["stability"]),
    }


def momentum_leads_the_comparison(
    student: Student,
    names: list[str],
    rates: list[float],
    momentum: float,
    steps: int,
    seconds: list[float],
) -> Values:
    """Momentum is the best overall of this comparison, and the summary says so."""
    found = compare_in_a_bowl(student, names, rates, momentum, steps, seconds)
    text = "\n".join(found["recommendations"]["summary"])
    return {"best overall": named_after("Best overall optimizer:", text)}


def rates_swept_on_a_parabola(student: Student, rates: list[float], steps: int) -> Values:
    """SGD swept over rates on (w - 3)^2: 0.4 is best, and 2 explodes."""
    result = sweep_the_parabola(student, rates, steps)
    return {
        "final_losses": list(result["final_losses"]),
        "gradient_explosions": list(result["gradient_explosions"]),
        "optimal_range": result["optimal_range"],
    }


def memory_compared(student: Student, num_parameters: int) -> Values:
    """Memory of the digits network: momentum takes 1.5 times, Adam twice what SGD takes."""
    w, estimate = Variable([0.0]), student.OptimizerConvergenceProfiler().estimate_memory_usage
    optimizers = [student.SGD([w]), student.SGD([w], momentum=0.9), student.Adam([w])]
    found = [estimate(optimizer, num_parameters) for optimizer in optimizers]
    unit = estimate(optimizers[0], 1000)["total_mb"]
    parts = ("parameters_mb", "gradients_mb", "optimizer_state_mb")
    return {
        "totals, in totals of SGD with 1000": [f["total_mb"] / unit for f in found],
        "states, in totals of SGD with 1000": [f["optimizer_state_mb"] / unit for f in found],
        "parts against the total": [sum(f[part] for part in parts) / f["total_mb"] for f in found],
    }


def advice_from_real_analyses(
    student: Student,
    names: list[str],
    rates: list[float],
    momentum: float,
    steps: int,
    seconds: list[float],
) -> Values:
    """Recommendations from a real comparison and a real sweep hold their results."""
    comparison = compare_in_a_bowl(student, names, rates, momentum, steps, seconds)
    analyses = {
        "learning_rate_analysis": sweep_the_parabola(student, [0.1, 0.4], 3),
        "convergence_comparison": comparison,
    }
    lines = student.OptimizerConvergenceProfiler().generate_production_recommendations(analyses)
    text = "\n".join(lines)
    summary = comparison["recommendations"]["summary"]
    wanted = ("OPTIMIZER SELECTION GUIDE:", "LEARNING RATE GUIDANCE:", "PRODUCTION DEPLOYMENT:")
    winners = ("Best overall optimizer:", "Fastest convergence:", "Most stable training:")
    return {
        "headings": [heading in text for heading in wanted],
        "summary lines": len(summary),
        "summary lines in the advice": [line in text for line in summary[:4]],
        "best, fastest and steadiest in the advice": [
            named_after(heading, text) for heading in winners
        ],
    }


def warm_up_shortens_the_first_steps(
    student: Student, steps: int, warmup_steps: int, base_lr: float
) -> Values:
    """Warm-up changes what the next step does, with SGD and with Adam."""
    features = student.AdvancedOptimizerFeatures()
    paths: dict[str, list[float]] = {}
    for name, kind in {"SGD": student.SGD, "Adam": student.Adam}.items():
        w = Variable(0.0)
        optimizer, paths[name] = kind([w], learning_rate=base_lr), []
        for step in range(steps):
            features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
            w.grad = Variable(1.0)
            optimizer.step()
            paths[name].append(float(snapshot(w)))
    first, *later = np.diff([0.0, *paths["Adam"]])
    return {
        "SGD": paths["SGD"],
        "Adam at step 0": float(first),
        "Adam moves afterwards": [bool(length < -0.01) for length in later],
    }


def micro_batches_make_one_batch(
    student: Student, xs: list[float], ys: list[float], cuts: list[int], rate: float, steps: int
) -> Values:
    """Batches of 6, cut into 2, 3 or 6 micro-batches, train like the whole batch."""
    ends, counts = [], []
    for cut in cuts:
        w, b, features = Variable(0.0), Variable(0.0), student.AdvancedOptimizerFeatures()
        optimizer, size = student.SGD([w, b], learning_rate=rate), len(xs) // cut
        counts.append(0)
        for micro_batch in range(cut * steps):
            rows = slice(micro_batch % cut * size, micro_batch % cut * size + size)
            optimizer.zero_grad()
            line_loss(w, b, xs[rows], ys[rows]).backward()
            if features.accumulate_gradients(optimizer, cut):
                optimizer.step()
                counts[-1] += 1
        ends.append([float(snapshot(w)), float(snapshot(b))])
    return {"w and b": ends, "optimizer steps": counts}


def loss_scale_cancels(student: Student, scales: list[float], rate: float, steps: int) -> Values:
    """Scaled losses, unscaled before the step, train as if nothing had happened."""
    paths: list[list[float]] = []
    for scale in scales:
        w, features = Variable(0.0), student.AdvancedOptimizerFeatures()
        optimizer = student.SGD([w], learning_rate=rate)
        paths.append([])
        for _ in range(steps):
            optimizer.zero_grad()
            error = w - 3.0
            (error * error * scale).backward()
            features.simulate_mixed_precision(optimizer, scale)
            optimizer.step()
            paths[-1].append(float(snapshot(w)))
    return {"w": paths}


def overflow_leaves_no_trace(student: Student, gradients: list[float], bad: list[float]) -> Values:
    """Skipped steps leave the parameters and the optimizer's state as they were."""
    makers = {
        "momentum": lambda p: student.SGD(p, learning_rate=0.1, momentum=0.9),
        "Adam": lambda p: student.Adam(p, learning_rate=0.1),
    }
    seen, moves, features = {}, [], student.AdvancedOptimizerFeatures()
    for name, make in makers.items():
        ends = []
        for run in (gradients, [*gradients[:1], *bad, *gradients[1:]]):
            w = Variable(0.0)
            optimizer, path = make([w]), []
            for gradient in run:
                w.grad = Variable(gradient)
                if features.simulate_mixed_precision(optimizer, 1.0):
                    optimizer.step()
                path.append(float(snapshot(w)))
            ends.append(path)
        clean, skipping = ends
        seen[f"{name}, moved by skipped steps"] = skipping[len(bad)] - skipping[0]
        seen[f"{name}, distance from a clean run"] = skipping[-1] - clean[-1]
        moves.append(int(np.sum(np.diff([0.0, *clean]) < 0)))
    return {**seen, "Adam's t": optimizer.t, "good steps that move w down": moves}


def the_whole_recipe(
    student: Student,
    xs: list[float],
    ys: list[float],
    loss_scale: float,
    max_norm: float,
    warmup_steps: int,
    base_lr: float,
    steps: int,
) -> Values:
    """Accumulation, loss scale, averaging, clipping and warm-up work together in one loop."""
    w, b, features = Variable(0.0), Variable(0.0), student.AdvancedOptimizerFeatures()
    optimizer, path, norms = student.SGD([w, b], learning_rate=base_lr), [], []
    for step in range(steps):
        for rows in (slice(0, 2), slice(2, 4)):
            optimizer.zero_grad()
            (line_loss(w, b, xs[rows], ys[rows]) * loss_scale).backward()
            features.accumulate_gradients(optimizer, 2)
        features.simulate_distributed_sync(optimizer, 4)
        if features.simulate_mixed_precision(optimizer, loss_scale):
            norms.append(features.apply_gradient_clipping(optimizer, max_norm))
            features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
            optimizer.step()
        path.append([float(snapshot(w)), float(snapshot(b))])
    return {"w and b": path, "norms": norms}
