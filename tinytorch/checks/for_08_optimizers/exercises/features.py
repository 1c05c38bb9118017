"""Exercises of `test-advanced-features`: AdvancedOptimizerFeatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

INF, NAN, NOT_THERE = float("inf"), float("nan"), "not there"


class HeldOptimizer:
    """Parameters of ones with given gradients, and a rate: these checks do not need `step`."""

    def __init__(self, gradients, learning_rate=0.1):
        shapes = [() if gradient is None else np.shape(gradient) for gradient in gradients]
        self.parameters = [Variable(np.ones(shape, dtype=np.float32)) for shape in shapes]
        self.learning_rate, self.momentum = learning_rate, 0.0
        self.hold(gradients)

    def hold(self, gradients):
        """Set the gradients, None for none."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def seen(self):
        """Return copies of all gradients; of what is neither a Variable nor None, its kind."""
        grads = [parameter.grad for parameter in self.parameters]
        known = (Variable, type(None))
        return [snapshot(g) if isinstance(g, known) else type(g).__name__ for g in grads]

    def weights(self):
        """Return the mean of each parameter, which was 1."""
        return [float(np.mean(snapshot(parameter))) for parameter in self.parameters]


def held(student: Student, gradients: Sequence[Any], learning_rate: float = 0.1) -> Any:
    """Make an optimizer that holds gradients; it is an SGD too, for whoever asks."""
    kind = type("HeldOptimizer", (HeldOptimizer, student.get("SGD", object)), {})
    return kind(gradients, learning_rate)


def feed_micro_batches(
    features: Any, optimizer: Any, micro_batches: Sequence[Sequence[Any]], steps: int
) -> tuple[list[Any], list[Any]]:
    """Feed micro-batches; return what each call said, and the gradients after the last."""
    answers = []
    for gradients in micro_batches:
        optimizer.hold(gradients)
        answers.append(features.accumulate_gradients(optimizer, steps))
    return answers, optimizer.seen()


def clips_by_the_global_norm(
    student: Student, gradients: list[Any], max_norms: list[float]
) -> Values:
    """Clipping: one norm over all parameters, one factor; returns the norm from before."""
    norms, seen, weights = [], [], []
    for max_norm in max_norms:
        optimizer = held(student, gradients)
        norms.append(
            student.AdvancedOptimizerFeatures().apply_gradient_clipping(optimizer, max_norm)
        )
        seen.append(optimizer.seen())
        weights = optimizer.weights()
    return {
        "norms": norms,
        "gradients": seen[0],
        "gradients with the small limit": seen[1],
        "weights": weights,
    }


def clips_only_above_the_limit(
    student: Student, short: list[list[float]], long: list[list[float]], limit: float
) -> Values:
    """Clipping leaves a short gradient as it is; max_norm is 1.0 by default."""
    features = student.AdvancedOptimizerFeatures()
    below, above, smaller = (
        held(student, short),
        held(student, long),
        held(student, short),
    )
    features.apply_gradient_clipping(held(student, short), limit)
    norm = features.apply_gradient_clipping(below)
    features.apply_gradient_clipping(above)
    features.apply_gradient_clipping(smaller, limit)
    return {
        "norm of short": norm,
        "short": below.seen(),
        "long": above.seen(),
        "short, with a smaller max_norm": smaller.seen(),
    }


def clips_nothing(student: Student, gradients: list[None]) -> Values:
    """Clipping without any gradient returns 0.0."""
    optimizer, cancelling = (
        held(student, gradients),
        held(student, [[3.0, -3.0], [4.0, -4.0]]),
    )
    clip = student.AdvancedOptimizerFeatures().apply_gradient_clipping
    norm, infinite = clip(optimizer, 1.0), held(student, [INF, [3.0]])
    with np.errstate(invalid="ignore"):
        clip(infinite, 1.0)
    return {
        "finite gradient beside an infinite one": infinite.seen()[1],
        "norm": norm,
        "gradients": optimizer.seen(),
        "norm of (3, -3, 4, -4)": clip(cancelling, 1.0),
    }


def warms_up_linearly(
    student: Student, steps: list[int], warmup_steps: int, base_lr: float
) -> Values:
    """Warm-up: 0 at step 0, linear, base_lr from warmup_steps on."""
    optimizer, features = held(student, [None]), student.AdvancedOptimizerFeatures()
    warm_up = features.apply_warmup_schedule
    return {"returned": [warm_up(optimizer, step, warmup_steps, base_lr) for step in steps]}


def warm_up_sets_the_rate(
    student: Student, steps: list[int], warmup_steps: int, base_lr: float
) -> Values:
    """Warm-up sets the optimizer's learning_rate."""
    optimizer, features = (
        held(student, [[3.0]], learning_rate=7.0),
        student.AdvancedOptimizerFeatures(),
    )
    differences = []
    for step in steps:
        rate = features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
        differences.append(optimizer.learning_rate - rate)
    return {
        "learning_rate after the last": optimizer.learning_rate,
        "set minus returned": differences,
        "gradients afterwards": optimizer.seen(),
    }


def warm_up_has_no_memory(
    student: Student,
    asked: list[float | int],
    between: list[list[float | int]],
    at_once: float,
    long: list[float | int],
) -> Values:
    """Warm-up depends on its arguments alone; 0 warm-up steps mean base_lr at once."""
    optimizer, features = held(student, [None]), student.AdvancedOptimizerFeatures()
    first, change = features.apply_warmup_schedule(optimizer, *asked), []
    for other in between:
        features.apply_warmup_schedule(optimizer, *other)
        change.append(features.apply_warmup_schedule(optimizer, *asked) - first)
    rate = features.apply_warmup_schedule(optimizer, 0, 0, at_once)
    nothing = features.apply_warmup_schedule(optimizer, 9, 4, 0.0)
    return {
        "returned": first,
        "change": change,
        "at once": rate,
        "where base_lr is 0": [nothing, optimizer.learning_rate],
        "step 1 of a warm-up of 400 steps to 0.0002": features.apply_warmup_schedule(
            optimizer, *long
        ),
    }


def says_when_to_step(student: Student, calls: int, steps: int) -> Values:
    """Accumulation returns True on every call number accumulation_steps, otherwise False."""
    optimizer, one = held(student, [[1.0]]), [[1.0]]
    many, _ = feed_micro_batches(
        student.AdvancedOptimizerFeatures(), optimizer, [one] * calls, steps
    )
    single, _ = feed_micro_batches(student.AdvancedOptimizerFeatures(), optimizer, [one] * 2, 1)
    return {"returned": many, "with one micro-batch": single}


def leaves_the_mean(student: Student, micro_batches: list[list[Any] | list[None]]) -> Values:
    """Accumulation leaves the sum divided by accumulation_steps, whatever was missing."""
    optimizer = held(student, micro_batches[0])
    features = student.AdvancedOptimizerFeatures()
    _, mean = feed_micro_batches(features, optimizer, micro_batches, len(micro_batches))
    return {"mean": mean, "weights": optimizer.weights()}


def keeps_copies_and_resets(
    student: Student, first: list[list[float]], second: list[list[float]], third: list[list[float]]
) -> Values:
    """Accumulation keeps copies of the gradients, and starts afresh after each mean."""
    optimizer, features = held(student, [[0.0, 0.0]]), student.AdvancedOptimizerFeatures()
    means = []
    for micro_batches in (first, second, third):
        for gradient in micro_batches:
            optimizer.hold([gradient])
            array = optimizer.parameters[0].grad.data.data
            ready = features.accumulate_gradients(optimizer, len(micro_batches))
            if not ready:
                array[...] = 99.0  # as when an array is used again for the next micro-batch
        means.append(optimizer.seen()[0])
    return {
        "in units of the first number": np.array(means[:2]) / means[0][0],
        "three micro-batches next, in units of their first number": means[2] / means[2][0],
    }


def restores_missing_gradients(
    student: Student, micro_batches: list[list[list[float] | None] | list[list[float]]]
) -> Values:
    """Accumulation also reaches a parameter that the last micro-batch left without gradient."""
    optimizer = held(student, micro_batches[0])
    features, without = student.AdvancedOptimizerFeatures(), [[None, *m[1:]] for m in micro_batches]
    left = [
        feed_micro_batches(features, optimizer, batches, len(batches))[1][0]
        for batches in (micro_batches, micro_batches, without)
    ]
    unit = 1.0 if left[0] is None else left[0][0]
    gradients = [None if gradient is None else gradient / unit for gradient in left]
    return {
        "gradient, in units of its first number": gradients[0],
        "the same in a second round": gradients[1],
        "after a round without any": gradients[2],
    }


def unscales_by_any_scale(student: Student, gradients: list[Any], scales: list[float]) -> Values:
    """Mixed precision: finite gradients are divided by the scale, and the answer is True."""
    seen, returned = {}, []
    for scale in scales:
        optimizer = held(student, gradients)
        returned.append(
            student.AdvancedOptimizerFeatures().simulate_mixed_precision(optimizer, scale)
        )
        seen[f"scale {scale:g}"] = optimizer.seen()
    optimizer = held(student, gradients)
    student.AdvancedOptimizerFeatures().simulate_mixed_precision(optimizer)
    empty = held(student, [None, None])
    answer = student.AdvancedOptimizerFeatures().simulate_mixed_precision(empty)
    return {
        "returned": returned,
        **seen,
        "by default": optimizer.seen(),
        "without any gradient": answer,
    }


def skips_overflow(student: Student, last: list[float]) -> Values:
    """Mixed precision: with inf, -inf or NaN every grad becomes None, and the answer is False."""
    returned, left, features, halved = [], [], student.AdvancedOptimizerFeatures(), None
    weights = []
    for value in last:
        optimizer = held(student, [[1.0, 2.0], None, [[3.0, value]], 4.0])
        returned.append(features.simulate_mixed_precision(optimizer, 2.0))
        left.append(sum(gradient is not None for gradient in optimizer.seen()))
        weights.append(optimizer.weights())
        halved = optimizer.seen()[0] if returned[-1] else halved
    large = []
    for gradient in ([3e38, 3e38], [1e20, -1e20], [-3e38, 3e38]):
        large_ones = held(student, [np.array(gradient, dtype=np.float32), [3.0]])
        with np.errstate(over="ignore"):  # what is finite may not be so once it is unscaled
            large.append(features.simulate_mixed_precision(large_ones, 0.5))
    return {
        "returned": returned,
        "gradients left": left,
        "the first of them, halved": halved,
        "loss_scale of the object, if it has one": getattr(features, "loss_scale", NOT_THERE),
        "weights": weights,
        "returned for large entries that are finite": large,
    }


def averages_equal_gradients(
    student: Student, gradients: list[Any], world_sizes: list[int]
) -> Values:
    """Distributed: the mean over ranks with equal gradients is that gradient."""
    seen, rates, features = [], [], student.AdvancedOptimizerFeatures()
    for world_size in world_sizes:
        optimizer = held(student, gradients)
        features.simulate_distributed_sync(held(student, [[9.0, 9.0], [[9.0]], 9.0, 9.0]), 2)
        features.simulate_distributed_sync(optimizer, world_size)
        seen.append(optimizer.seen())
        rates.append(optimizer.learning_rate)
    weights, optimizer = optimizer.weights(), held(student, gradients)
    features.simulate_distributed_sync(optimizer)
    return {
        "gradients": seen,
        "by default": optimizer.seen(),
        "weights": weights,
        "learning_rate": rates,
    }


def objects_are_independent(student: Student, steps: int, gradients: list[float]) -> Values:
    """Two objects share no buffer and no count; settings begin with the values listed."""
    one, other = student.AdvancedOptimizerFeatures(), student.AdvancedOptimizerFeatures()
    required = ("max_grad_norm", "warmup_steps", "accumulation_steps")
    kept = "clip_enabled warmup_factor base_lr accumulation_count use_fp16 loss_scale"
    kept += " dynamic_loss_scaling world_size rank"
    settings = {name: getattr(one, name) for name in required}
    optional = {name: getattr(one, name, NOT_THERE) for name in kept.split()}
    optimizer, answers = held(student, [[gradients[0]]]), []
    one.accumulate_gradients(optimizer, steps)
    for _ in range(steps):
        optimizer.hold([[gradients[1]]])
        answers.append(other.accumulate_gradients(optimizer, steps))
    return {
        "settings": settings,
        "settings that need not be there": optional,
        "first calls of another object": any(answers[:-1]),
        "mean of the other object": optimizer.seen()[0],
    }
