"""Exercises of `test-schedules`: functions from a step to a factor, and Schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable


def warm_up_rises_to_one(student: Student, lengths: list[int]) -> Values:
    """Warm-up rises from 1/n in a straight line and then stays at 1."""
    return {
        "factors of steps 0 to 6": [
            [student.linear_warmup(length)(step) for step in range(7)] for length in lengths
        ]
    }


def cosine_falls_to_its_floor(student: Student, steps: int, floor: float) -> Values:
    """Cosine: from 1 to the floor along half a wave, and no further."""
    factor, to_zero = student.cosine(steps, floor), student.cosine(4)
    return {
        "with a floor, steps 0 to 12": [factor(step) for step in range(13)],
        "of 4 steps to 0, steps 0 to 6": [to_zero(step) for step in range(7)],
    }


def three_phases_follow_each_other(student: Student, lengths: list[int], floor: float) -> Values:
    """Warm-up, stable, decay: each as long as it is told, then the floor."""
    factor = student.warmup_stable_decay(*lengths, floor)
    return {"factors of steps 0 to 13": [factor(step) for step in range(14)]}


def a_phase_may_be_left_out(student: Student, floor: float) -> Values:
    """Each of the three phases may have no steps at all; the floor is 0 by default."""
    lengths = ([0, 2, 2], [2, 0, 2], [1, 1, 0], [0, 0, 4])
    return {
        "steps 0 to 4": [
            [student.warmup_stable_decay(*given, floor)(step) for step in range(5)]
            for given in lengths
        ],
        "at the end, by default": student.warmup_stable_decay(1, 1, 2)(7),
    }


def each_schedule_is_counted_from_its_own_start(
    student: Student, values: list[float], lengths: list[int]
) -> Values:
    """One after another: each is followed for its length, and counts from 0."""
    schedules = [_numbered(value) for value in values]
    together = student.one_after_another(schedules, lengths)
    two = student.one_after_another(schedules[:2], lengths[:1])
    again = student.one_after_another(schedules, lengths)
    skipping = student.one_after_another(schedules, [0, lengths[1]])
    order = [9, 0, 4, 2]
    return {
        "factors of steps 0 to 9": [together(step) for step in range(10)],
        "of two schedules": [two(step) for step in range(6)],
        "steps 9, 0, 4 and 2, asked in this order": [again(step) for step in order],
        "steps 0 and 1, with none for the first": [skipping(step) for step in (0, 1)],
        "one schedule alone": [student.one_after_another(schedules[:1], [])(s) for s in (0, 3)],
        "schedules and lengths in the lists that were given": [len(schedules), len(lengths)],
    }


def the_rate_is_base_times_factor(student: Student, rate: float, factors: list[float]) -> Values:
    """Schedule: the factor of step 0 at once, that of step n with call n."""
    optimizer = student.Optimizer([Variable(0.0)], learning_rate=rate)
    schedule = student.Schedule(optimizer, lambda step: factors[step])
    rates = [optimizer.groups[0]["learning_rate"]]
    for _ in factors[1:]:
        schedule.step()
        rates.append(optimizer.groups[0]["learning_rate"])
    return {"rate when made and after each call": rates}


def every_group_keeps_a_base_of_its_own(
    student: Student, rates: list[float], factors: list[float], other: float
) -> Values:
    """Bases: one a group, read when the schedule is made; nothing else is changed."""
    groups = [{"parameters": [Variable(1.0)], "learning_rate": rate} for rate in rates]
    optimizer = student.Optimizer(groups, learning_rate=0.0, weight_decay=0.3)
    for parameter in optimizer.parameters:
        parameter.grad = Variable(2.0)
    schedule = student.Schedule(optimizer, lambda step: factors[step])
    seen = [[group["learning_rate"] for group in optimizer.groups]]
    for _ in factors[1:]:
        optimizer.learning_rate = other
        schedule.step()
        seen.append([group["learning_rate"] for group in optimizer.groups])
    student.Schedule(optimizer, lambda step: factors[step])
    return {
        "rates of the groups": seen,
        "rates once another schedule is made": [g["learning_rate"] for g in optimizer.groups],
        "other options": [group["weight_decay"] for group in optimizer.groups],
        "weights": [snapshot(parameter) for parameter in optimizer.parameters],
        "gradients": [snapshot(parameter.grad) for parameter in optimizer.parameters],
    }


def calls_are_counted_and_the_count_may_be_set(
    student: Student, rate: float, factors: list[float]
) -> Values:
    """Count of calls: in step_count, which may be set to go on; get_factor() only tells."""
    optimizer = student.Optimizer([Variable(0.0)], learning_rate=rate)

    def factor(step: int) -> float:
        return factors[step]

    schedule, counts, told = student.Schedule(optimizer, factor), [], []
    for _ in range(3):
        counts.append(schedule.step_count)
        told += [schedule.get_factor(), schedule.get_factor()]
        schedule.step()
    schedule.step_count = 4
    schedule.step()
    return {
        "step_count after 0, 1 and 2 calls": counts,
        "get_factor(), asked twice each time": told,
        "count, factor and rate once set to 4 and called": [
            schedule.step_count,
            schedule.get_factor(),
            optimizer.learning_rate,
        ],
        "keeps what it is given": [schedule.optimizer is optimizer, schedule.factor is factor],
    }


def _numbered(value: float) -> Callable[[int], Any]:
    """Return a schedule of which every factor tells which it is, and of which step."""
    return lambda step: value + step
