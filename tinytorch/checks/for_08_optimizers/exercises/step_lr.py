"""Exercises of `test-step-scheduler`: StepLR."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tinytorch.checks.observe import snapshot
from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable


def optimizer_with(student: Student, rate: float) -> Any:
    """Make an optimizer of which only the rate exists: a schedule needs no more."""
    kind = student.get("SGD", SimpleNamespace)
    optimizer = kind.__new__(kind)
    optimizer.parameters = []
    optimizer.learning_rate = rate
    return optimizer


def rates_of(schedule: Any, optimizer: Any, calls: int) -> list[Any]:
    """Rates of the optimizer after each of the next calls."""
    rates = []
    for _ in range(calls):
        schedule.step()
        rates.append(optimizer.learning_rate)
    return rates


def the_first_drop_comes_after_step_size_calls(
    student: Student, rate: float, step_size: int, gamma: float
) -> Values:
    """First drop: on call step_size + 1, in the optimizer itself; then after step_size more."""
    optimizer = optimizer_with(student, rate)
    schedule = student.StepLR(optimizer, step_size=step_size, gamma=gamma)
    return {"rate after calls 1 to 9": rates_of(schedule, optimizer, 9)}


def every_stair_is_gamma_times_the_last(
    student: Student, rate: float, step_size: int, gammas: list[float]
) -> Values:
    """Every step_size calls it drops again, by gamma each time, whatever gamma is."""
    stairs = []
    for gamma in gammas:
        optimizer = optimizer_with(student, rate)
        schedule = student.StepLR(optimizer, step_size=step_size, gamma=gamma)
        stairs.append(rates_of(schedule, optimizer, 14)[1::4])
    return {"rate after calls 2, 6, 10 and 14": stairs}


def the_rate_is_computed_from_the_initial_one(
    student: Student, rate: float, step_size: int, other: float
) -> Values:
    """Rates come from initial_lr, whatever was set in between; gamma is 0.1 by default."""
    optimizer = optimizer_with(student, rate)
    w = Variable(1.0)
    w.grad = Variable(2.0)
    optimizer.parameters, optimizer.t, optimizer.velocity = [w], 50, [1.0]
    optimizer.step = lambda: setattr(optimizer, "t", optimizer.t + 1)
    schedule = student.StepLR(optimizer, step_size)
    seen = []
    for _ in range(6):
        optimizer.learning_rate = other
        seen += rates_of(schedule, optimizer, 1)
    optimizer.learning_rate = other
    return {
        "rate after calls 2 and 6": [seen[1], seen[5]],
        "initial_lr of a second schedule": student.StepLR(optimizer, step_size).initial_lr,
        "t, velocity and gradient of the optimizer": [
            optimizer.t,
            optimizer.velocity,
            snapshot(w.grad),
        ],
    }


def get_lr_reports_and_changes_nothing(
    student: Student, rate: float, other: float, step_size: int
) -> Values:
    """get_lr() returns the optimizer's current rate and changes nothing."""
    optimizer = optimizer_with(student, rate)
    schedule = student.StepLR(optimizer, step_size=step_size, gamma=0.1)
    first = schedule.get_lr()
    optimizer.learning_rate = other
    asked = [schedule.get_lr() for _ in range(3)]
    after = optimizer.learning_rate
    for _ in range(6):
        schedule.step()
        schedule.get_lr()
    difference = schedule.get_lr() - optimizer.learning_rate
    optimizer.learning_rate = 1e-9 * other
    return {
        "get_lr() before any call": first,
        "get_lr() after another rate was set": asked,
        "rate of the optimizer afterwards": after,
        "get_lr() less that rate after call 6": difference,
        "1e9 times get_lr() after a rate 1e9 times smaller was set": 1e9 * schedule.get_lr(),
    }


def attributes_are_kept_and_calls_counted(
    student: Student, rate: float, step_size: int, gamma: float
) -> Values:
    """Arguments and initial_lr are kept, step_count counts, and making it changes no rate."""
    optimizer = optimizer_with(student, rate)
    schedule = student.StepLR(optimizer, step_size, gamma)
    made = optimizer.learning_rate
    kept = [schedule.step_size, schedule.gamma, schedule.initial_lr]
    zero = student.StepLR(optimizer_with(student, 0.0), step_size, 0.0)
    counts = [schedule.step_count]
    for _ in range(7):
        schedule.step()
        counts.append(schedule.step_count)
    meanwhile = zero.step_count  # before another is made
    return {
        "step_size, gamma, initial_lr": kept,
        "default of gamma": student.StepLR(optimizer, step_size).gamma,
        "optimizer is the one given": schedule.optimizer is optimizer,
        "rate once the schedule is made": made,
        "step_count after 0 to 7 calls": counts,
        "step_count of another schedule meanwhile": meanwhile,
        "initial_lr after 7 calls": schedule.initial_lr,
        "initial_lr and gamma where they are 0": [zero.initial_lr, zero.gamma],
    }
