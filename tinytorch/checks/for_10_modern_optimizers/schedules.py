"""What is expected in `test-schedules`: four functions and Schedule, 20 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import schedules as exercises

checks = Checks(
    "test-schedules",
    points=20,
    names=["linear_warmup", "cosine", "warmup_stable_decay", "one_after_another", "Schedule"],
)


checks.part(
    exercises.warm_up_rises_to_one,
    points=3,
    inputs={"lengths": [4, 1, 0]},
    choices={"lengths": [[6, 1, 0], [5, 1, 0], [3, 2, 0]]},
    expect={
        "factors of steps 0 to 6": [[0.25, 0.5, 0.75] + [1.0] * 4, [1.0] * 7, [1.0] * 7],
    },
    hint="Step 0 already has a rate: a quarter, where the warm-up has 4 steps. Which step is the "
    "first with 1? A warm-up of 0 steps divides by nothing.",
)

checks.part(
    exercises.cosine_falls_to_its_floor,
    points=4,
    inputs={"steps": 10, "floor": 0.1},
    randomize=["floor"],
    choices={"steps": [9, 8, 11]},
    expect={
        "with a floor, steps 0 to 12": [
            1.0,
            0.977975,
            0.914058,
            0.814503,
            0.689058,
            0.55,
            0.410942,
            0.285497,
            0.185942,
            0.122025,
            0.1,
            0.1,
            0.1,
        ],
        "of 4 steps to 0, steps 0 to 6": [1.0, 0.853553, 0.5, 0.146447, 0.0, 0.0, 0.0],
    },
    hint="At half of the steps the factor is half way between 1 and the floor. What does a cosine "
    "do after half a wave, and what should the schedule do?",
)

checks.part(
    exercises.three_phases_follow_each_other,
    points=3,
    inputs={"lengths": [3, 4, 5], "floor": 0.2},
    randomize=["floor"],
    choices={"lengths": [[2, 5, 4], [4, 2, 6], [5, 3, 4]]},
    expect={
        "factors of steps 0 to 13": [
            0.333333,
            0.666667,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
            0.84,
            0.68,
            0.52,
            0.36,
            0.2,
            0.2,
        ]
    },
    hint="With lengths 3, 4 and 5, step 7 is the first of the decay, where k = 0 and the factor "
    "still 1. Where does it reach the floor?",
)

checks.part(
    exercises.a_phase_may_be_left_out,
    points=1,
    inputs={"floor": 0.5},
    randomize=["floor"],
    expect={
        "steps 0 to 4": [
            [1.0, 1.0, 1.0, 0.75, 0.5],
            [0.5, 1.0, 1.0, 0.75, 0.5],
            [1.0, 1.0, 0.5, 0.5, 0.5],
            [1.0, 0.875, 0.75, 0.625, 0.5],
        ],
        "at the end, by default": 0.0,
    },
    hint="Lengths may be 0: which phase does a step belong to then, and what is divided by 0?",
)

checks.part(
    exercises.each_schedule_is_counted_from_its_own_start,
    points=3,
    inputs={"values": [100.0, 200.0, 300.0], "lengths": [3, 4]},
    randomize=["values"],
    choices={"lengths": [[3, 4], [2, 5], [4, 1]]},
    expect={
        "factors of steps 0 to 9": [
            *[100.0, 101.0, 102.0],
            *[200.0, 201.0, 202.0, 203.0],
            *[300.0, 301.0, 302.0],
        ],
        "of two schedules": [100.0, 101.0, 102.0, 200.0, 201.0, 202.0],
        "steps 9, 0, 4 and 2, asked in this order": [302.0, 100.0, 201.0, 102.0],
        "steps 0 and 1, with none for the first": [200.0, 201.0],
        "one schedule alone": [100.0, 103.0],
        "schedules and lengths in the lists that were given": [3, 2],
    },
    hint="With 3 steps for the first, step 3 of the whole is step 0 of the second. Does your "
    "schedule remember anything between two calls, or change the lists that it is given?",
)

checks.part(
    exercises.the_rate_is_base_times_factor,
    points=4,
    inputs={"rate": 0.4, "factors": [0.5, 1.0, 0.25, 0.0, 2.0]},
    randomize=["rate", "factors"],
    expect={"rate when made and after each call": [0.2, 0.4, 0.1, 0.0, 0.8]},
    hint="The first step of the optimizer comes before the first call. Is the factor multiplied by "
    "the rate of the start, or by the last one?",
)

checks.part(
    exercises.every_group_keeps_a_base_of_its_own,
    points=1,
    inputs={"rates": [0.4, 4e-9], "factors": [0.5, 1.0, 1.0, 0.25], "other": 7.0},
    randomize=["rates", "factors", "other"],
    expect={
        "rates of the groups": [[0.2, 2e-9], [0.4, 4e-9], [0.4, 4e-9], [0.1, 1e-9]],
        "rates once another schedule is made": [0.05, 5e-10],
        "other options": [0.3, 0.3],
        "weights": [1.0, 1.0],
        "gradients": [2.0, 2.0],
    },
    hint="Two groups, two rates. When do you read them, and does it matter what somebody has set "
    "in between, or that the factor is that of the step before? Is a rate too small for yours?",
    atol=0.0,
)

checks.part(
    exercises.calls_are_counted_and_the_count_may_be_set,
    points=1,
    inputs={"rate": 2.0, "factors": [1.0, 0.5, 0.25, 0.4, 0.8, 0.1]},
    randomize=["rate", "factors"],
    expect={
        "step_count after 0, 1 and 2 calls": [0, 1, 2],
        "get_factor(), asked twice each time": [1.0, 1.0, 0.5, 0.5, 0.25, 0.25],
        "count, factor and rate once set to 4 and called": [5, 0.1, 0.2],
        "keeps what it is given": [True, True],
    },
    hint="The factor is that of step_count, whoever set it. Does get_factor() change anything?",
)
