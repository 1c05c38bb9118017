"""What is expected in `test-convergence-profiler`: one run."""

from __future__ import annotations

from tinytorch.checks import AnyValue, Between, Checks, GreaterThan, OneOf

from .exercises import profiler_runs as exercises

checks = Checks("test-convergence-profiler", points=30, names=["OptimizerConvergenceProfiler"])
INF, NAN = float("inf"), float("nan")
checks.part(
    exercises.records_every_step,
    about="profile_optimizer_convergence",
    points=2,
    inputs={"losses": [4.0, NAN, 0.0, 9.0], "rates": [0.2, 0.1, 0.05, 0.01]},
    randomize=["losses"],
    expect={
        "losses": [4.0, NAN, 0.0],
        "rates": OneOf([0.2, 0.1, 0.05], [0.4, 0.2, 0.1]),  # read after or before the call
        "durations": [Between(0.0, 3.0), Between(0.0, 3.0), Between(0.0, 3.0)],
        "total_steps": 3,
        "calls": 3,
        "rate after these calls": 0.05,
        "calls by default": 100,
        "calls where max_steps is 0": 0,
    },
    hint="Which numbers change from one call to the next, and when do you read them? A loss of NaN "
    "or 0 ends no run, and max_steps may be 0.",
)

checks.part(
    exercises.norm_is_global,
    about="profile_optimizer_convergence",
    points=2,
    inputs={"gradients": [None, [1.0, 2.0], [[2.0, 0.0], [0.0, 4.0]], 12.0]},
    randomize=["gradients"],
    expect={"gradient_norms": [13.0], "gradient_norms without any gradient": [0.0]},
    hint="All entries make one vector. What is the length of (1, 2, 2, 4, 12)?",
)

checks.part(
    exercises.failing_step_ends_the_run,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"losses": [3.0, 2.0, "no step today", 1.0]},
    randomize=["losses"],
    expect={
        "losses": [3.0, 2.0],
        "records": [2, 2, 2],
        "total_steps": 2,
        "final_loss": 2.0,
        "calls": 3,
        "calls where other errors are raised": [3, 3, 3],
        "average_step_time, in averages of the record": Between(0.75, 1.25),
    },
    hint="What is in your record when the third call raises, and who catches the exception, "
    "whatever its class? And whose seconds are in the average?",
)

checks.part(
    exercises.explosion_ends_the_run,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"norms": [1.0, 9e5, 1.1e6, 1.0, 1.0], "infinite": [1.0, INF, 1.0, 1.0]},
    choices={"norms": [[8e5, 1.2e6, 3.0], [9e5] * 3 + [1.3e6, 1.0], [1.1e6, 1.0], [9.5e5, 2e6]]},
    expect={"calls": [3, 2]},
    hint="Of the norms 1, 9e5, 1.1e6 only the last is over the threshold of 1e6. So is infinity.",
)

checks.part(
    exercises.rising_loss_has_not_converged,
    about="profile_optimizer_convergence",
    points=1,
    inputs={
        "runs": [[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 2.0, 3.0], [1.0, 2.0, 2.0000005]],
        "order": [0, 1, 2],
    },
    choices={"order": [[2, 0, 1], [0, 2, 1], [2, 0, 2], [1, 2, 2], [2, 1, 0]]},
    expect={"converged": [False, False, True]},
    hint="A loss that rises from 1 to 2 differs by 1. What is the sign of your difference?",
)

checks.part(
    exercises.convergence_step_is_the_first,
    about="profile_optimizer_convergence",
    points=2,
    inputs={
        "runs": [
            [4.0, 2.0, 1.0, 1.0, 0.5, 0.5],
            [0.0, -5.0, -8.0],
            [1.0, 0.9999992, 0.5],
            [1.0, 0.9999985, 0.5],
            [0.001, 0.0009995, 0.5],
            [4.0, NAN, NAN, 2.0, 2.0],
        ],
        "later": 0,
    },
    choices={"later": [1, 2, 3, 4, 5]},
    expect={"convergence_step": [3, None, 1, None, 1, 4]},
    hint="Steps count from 0. Is there a loss to compare the first one with? And does NaN differ "
    "by less than the threshold from anything?",
)

checks.part(
    exercises.stability_needs_a_window,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"losses": [0.5, 0.4, 0.5, 0.6] * 4, "lengths": [5, 9, 10, 14]},
    choices={"lengths": [[9, 11, 6, 10], [12, 9, 10, 3], [10, 8, 9, 13], [9, 10, 16, 8]]},
    expect={"a score above 0": [False, False, True, True]},
    hint="How many losses does a window of 10 need?",
)

checks.part(
    exercises.stability_orders_runs,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"spreads": [0.1, 0.4, 0.0]},
    choices={"spreads": [[0.3, 0.4, 0.1], [0.0, 0.4, 0.2], [0.4, 0.0, 0.2], [0.4, 0.3, 0.0]]},
    expect={
        "scores": [Between(0.0, 1.0)] * 6,
        "spreads, steadiest first": [0.0, 0.1, 0.4],
        "change of a score by a wild past": 0.0,
        "steady above one outlier, first or last": GreaterThan(0.0),
    },
    hint="Which losses are in the window, and what happens to a ratio when its divisor is 0?",
)

checks.part(
    exercises.exploding_gradients,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"worst": [2e6, 9e5, INF, NAN]},
    choices={"worst": [[8e5, INF, 1.1e6, NAN], [NAN, 3e6, 1e3, INF], [INF, NAN, 1.2e6, 9e5]]},
    expect={
        "exploding": [True, False, True, True],
        "where the first step explodes": "exploding",
        "next run of that profiler": "healthy",
        "where a loss is NaN and no norm": "healthy",
    },
    hint="Is NaN above the threshold? Is it below? And does the verdict wait for a record?",
)

checks.part(
    exercises.other_healths,
    about="profile_optimizer_convergence",
    points=2,
    inputs={
        "norms": [
            [1.2e-8, 0.0, 0.0, 1.2e-8, 1.2e-8],
            [0.0] * 4,
            [10.0] * 2 + [1e-3] * 12,
            [1e-2] * 2 + [10.0],
            [1.2e-8] * 4,
            [0.5, 0.5, 0.5, 0.0],
            [],
            [0.0] * 6 + [3e-8],
        ],
        "order": [0, 1, 2, 3, 4, 5, 6, 7],
    },
    randomize=["norms"],
    choices={
        "order": [
            [7, 6, 5, 4, 3, 2, 1, 0],
            [2, 6, 1, 5, 0, 3, 4, 7],
            [3, 2, 7, 6, 0, 5, 4, 1],
        ],
    },
    expect={
        "gradient_health": [
            "vanishing",
            "vanishing",
            "unstable",
            "healthy",
            "healthy",
            "healthy",
            "unknown",
            "vanishing",
        ]
    },
    hint="Work out mean and standard deviation of the norms by hand; which line of 6.2 applies?",
)

checks.part(
    exercises.profile_has_ten_entries,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"losses": [8.0, 6.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0], "seconds": 0.002},
    randomize=["losses"],
    expect={
        "optimizer_name": "run",
        "total_steps": 8,
        "convergence_step": AnyValue(),
        "final_loss": 2.0,
        "initial_loss": 8.0,
        "loss_reduction": 6.0,
        "convergence_rate": AnyValue(),
        "convergence_rate times total_steps, in reductions": Between(0.95, 1.2),
        "stability_score": AnyValue(),
        "average_step_time": Between(0.0015, 1.0),
        "gradient_health": AnyValue(),
        "average of the recorded times": Between(0.8, 1.25),
        "sum of the recorded times, in times of the run": Between(0.0, 2.5),
    },
    hint="Compare the keys of your profile with the docstring, one by one.",
)

checks.part(
    exercises.only_watches,
    about="profile_optimizer_convergence",
    points=1,
    inputs={"weights": [1.0, 2.0], "gradient": [0.3, 0.4], "rate": 0.1},
    randomize=["weights", "gradient", "rate"],
    expect={
        "weights": [3.0, 4.0],
        "gradient": [0.3, 0.4],
        "gradient after an explosion": [1e9, 0.4],
        "gradient that was missing": None,
        "rate": 0.1,
        "runs another profiler knows": [],
    },
    hint="The training function does the step, four here. Where is your record kept: on self? What "
    "does yours do when a run ends early?",
)
