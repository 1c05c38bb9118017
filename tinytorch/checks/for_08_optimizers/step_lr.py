"""What is expected in `test-step-scheduler`: StepLR, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import step_lr as exercises

checks = Checks("test-step-scheduler", points=10, names=["StepLR"])


checks.part(
    exercises.the_first_drop_comes_after_step_size_calls,
    points=5,
    inputs={"rate": 0.1, "step_size": 3, "gamma": 0.1},
    randomize=["rate", "gamma"],
    choices={"step_size": [2, 3, 4]},
    expect={"rate after calls 1 to 9": [0.1] * 3 + [0.01] * 3 + [0.001] * 3},
    hint="Calls 1 to step_size set the initial rate. What is (n - 1) // step_size on each call?",
)

checks.part(
    exercises.every_stair_is_gamma_times_the_last,
    points=2,
    inputs={"rate": 0.8, "step_size": 4, "gammas": [0.001, 2.0, 0.0]},
    randomize=["rate", "gammas"],
    expect={
        "rate after calls 2, 6, 10 and 14": [
            [0.8, 8e-4, 8e-7, 8e-10],
            [0.8, 1.6, 3.2, 6.4],
            [0.8, 0.0, 0.0, 0.0],
        ]
    },
    hint="Each stair is gamma times the one before, however low. Which power of gamma belongs to "
    "the third? And gamma may be 0.",
    atol=0.0,
)

checks.part(
    exercises.the_rate_is_computed_from_the_initial_one,
    points=1,
    inputs={"rate": 0.4, "step_size": 4, "other": 7.0},
    randomize=["rate", "other"],
    expect={
        "rate after calls 2 and 6": [0.4, 0.04],
        "initial_lr of a second schedule": 7.0,
        "t, velocity and gradient of the optimizer": [50, [1.0], 2.0],
    },
    hint="From which rate do you compute the new one, and when did you read it?",
)

checks.part(
    exercises.get_lr_reports_and_changes_nothing,
    points=1,
    inputs={"rate": 0.5, "other": 0.03, "step_size": 4},
    randomize=["rate", "other"],
    expect={
        "get_lr() before any call": 0.5,
        "get_lr() after another rate was set": [0.03, 0.03, 0.03],
        "rate of the optimizer afterwards": 0.03,
        "get_lr() less that rate after call 6": 0.0,
        "1e9 times get_lr() after a rate 1e9 times smaller was set": 0.03,
    },
    hint="get_lr() reports the rate the optimizer would use now. Does asking change anything?",
)

checks.part(
    exercises.attributes_are_kept_and_calls_counted,
    points=1,
    inputs={"rate": 0.25, "step_size": 5, "gamma": 0.7},
    randomize=["rate", "gamma"],
    expect={
        "step_size, gamma, initial_lr": [5, 0.7, 0.25],
        "default of gamma": 0.1,
        "optimizer is the one given": True,
        "rate once the schedule is made": 0.25,
        "step_count after 0 to 7 calls": [0, 1, 2, 3, 4, 5, 6, 7],
        "step_count of another schedule meanwhile": 0,
        "initial_lr after 7 calls": 0.25,
        "initial_lr and gamma where they are 0": [0.0, 0.0],
    },
    hint="Compare the names in the docstring with your constructor. Which may step() change?",
)
