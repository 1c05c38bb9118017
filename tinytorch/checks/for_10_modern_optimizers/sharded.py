"""What is expected in `test-sharded-adamw`: ShardedAdamW, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import sharded as exercises

checks = Checks("test-sharded-adamw", points=10, names=["ShardedAdamW"])


checks.part(
    exercises.a_rank_keeps_the_state_of_its_part,
    points=5,
    inputs={"shapes": [[3, 2], [], [4]], "sizes": [1, 2, 3, 4]},
    expect={
        "sizes of m and v, t, and 1 if it moved": [
            [[11, 11, 1, 1]],
            [[6, 6, 1, 1]] * 2,
            [[4, 4, 1, 1]] * 3,
            [[3, 3, 1, 1]] * 4,
        ]
    },
    hint="11 numbers on 2 ranks: 12 with the padding, so 6 for each. For which weights does your "
    "rank keep moments?",
)

checks.part(
    exercises.all_ranks_hold_the_weights_of_adamw,
    points=3,
    inputs={
        "starts": [[[1.0, -2.0], [0.5, 3.0]], 2.0, [-1.0, 4.0]],
        "gradients": [
            [
                [[[1.0, 2.0], [-3.0, 0.5]], 1.0, [2.0, -1.0]],
                [[[2.0, -1.0], [-1.0, 1.5]], 3.0, [1.0, -4.0]],
                [[[0.5, 4.0], [-2.0, 2.5]], -1.5, [3.0, 2.0]],
            ],
            [
                [[[-2.0, 1.0], [1.0, 3.5]], 2.0, [-4.0, 1.0]],
                [[[-1.0, 1.0], [2.0, -1.0]], 1.0, [0.5, -2.0]],
                [[[1.5, 2.0], [3.0, 0.5]], -0.5, [1.0, -6.0]],
            ],
        ],
        "options": {"learning_rate": 0.1, "beta2": 0.9, "epsilon": 2.0, "weight_decay": 0.2},
    },
    randomize=["starts", "gradients"],
    # A large epsilon: without it Adam makes no difference between a sum and a mean.
    expect={
        "weights by rank": [
            [[[0.914247, -2.007946], [0.526568, 2.801281]], 1.862565, [-1.023922, 3.91873]]
        ]
        * 3
    },
    hint="The gradient of a step is the mean over the ranks. Which part of it is yours, and how do "
    "the new weights of the others get to you?",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.options_and_weights_are_read_at_each_step,
    points=1,
    inputs={
        "gradients": [[[[[1.0, -2.0]], 1.0], [[[3.0, 1.0]], 2.0]]],
        "rates": [0.1, 0.02],
        "assigned": 5.0,
    },
    randomize=["gradients", "rates", "assigned"],
    expect={
        "w, w once assigned, gradient kept, Tensors kept, cleared by zero_grad()": [
            [-0.12, 4.98, True, True, True]
        ]
        * 2
    },
    hint="With both betas 0 a step is as long as the rate. From where does the part of your rank "
    "start, and with which rate?",
    rtol=1e-3,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_on_all_ranks,
    points=1,
    inputs={
        "starts": [[1.0, 2.0, 3.0], [4.0, 5.0], 6.0],
        "gradients": [
            [[[1.0, 1.0, -2.0], [1.0, 3.0], 1.0], [[2.0, 1.0, -1.0], [2.0, 1.0], 3.0]],
            [[[1.0, 2.0, -1.0], None, 1.0], [[1.0, 1.0, -3.0], None, 2.0]],
            [[None, [1.0, 2.0], 1.0], [None, [2.0, 2.0], 1.0]],
        ],
        "rate": 0.1,
    },
    randomize=["starts", "gradients", "rate"],
    expect={
        "which parameters move, by rank and step": [
            [[True, True, True], [True, False, True], [False, True, True]]
        ]
        * 2
    },
    hint="A parameter that has no gradient on any rank stays as it is. What stands in its place in "
    "the flat gradient, and what do decay and moments make of it?",
)
