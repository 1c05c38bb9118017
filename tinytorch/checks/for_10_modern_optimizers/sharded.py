"""What is expected in `test-sharded-adamw`: ShardedAdamW, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import sharded as exercises

NAN = float("nan")
CALLS = ["all_gather"] * 3 + ["reduce_scatter_mean"] * 3

checks = Checks("test-sharded-adamw", points=10, names=["ShardedAdamW"])


checks.part(
    exercises.a_rank_keeps_the_state_of_its_part,
    points=5,
    inputs={
        "shapes": [[3, 2], [], [4]],
        "sizes": [1, 2, 3, 4],
        "gradients": [1.0, 4.0, 7.0, 2.0],
    },
    randomize=["gradients"],
    choices={"shapes": [[[2, 2], [4], [1]], [[], [5, 2], [2]], [[7], []]]},
    # A large epsilon: without it Adam makes no difference between a sum and a mean.
    expect={
        "largest sizes of m and v of a rank": [[11, 11], [6, 6], [4, 4], [3, 3]],
        "least and largest step of any rank": [
            [0.05, 0.05],
            [0.0714286, 0.0714286],
            [0.08, 0.08],
            [0.0777778, 0.0777778],
        ],
    },
    hint="11 numbers on 2 ranks: 12 with the padding, so 6 for each. For which weights does your "
    "rank keep moments, and of which gradient?",
    rtol=1e-3,
)

checks.part(
    exercises.all_ranks_hold_the_weights_of_adamw,
    points=2,
    inputs={
        "starts": [[[1.0, -2.0], [0.5, 3.0]], 2.0, [-1.0, 4.0, 0.5, -3.0]],
        "gradients": [
            [
                [[[1.0, 2.0], [-3.0, 0.5]], 1.0, [2.0, -1.0, 1.0, 0.5]],
                [[[2.0, -1.0], [-1.0, 1.5]], 3.0, [1.0, -4.0, 2.0, 3.0]],
                [[[0.5, 4.0], [-2.0, 2.5]], -1.5, [3.0, 2.0, -0.5, 1.0]],
            ],
            [
                [[[-2.0, 1.0], [1.0, 3.5]], 2.0, [-4.0, 1.0, 2.0, -1.0]],
                [[[-1.0, 1.0], [2.0, -1.0]], 1.0, [0.5, -2.0, 1.5, 2.0]],
                [[[1.5, 2.0], [3.0, 0.5]], -0.5, [1.0, -6.0, -1.0, 3.0]],
            ],
        ],
        "options": {"learning_rate": 0.1, "beta2": 0.5, "epsilon": 0.5, "weight_decay": 0.2},
    },
    randomize=["starts", "gradients"],
    expect={
        "weights by rank": [
            [
                [[0.869319, -2.072542], [0.554389, 2.734524]],
                1.79705,
                [-1.066447, 3.975257, 0.35645, -3.02938],
            ]
        ]
        * 3
    },
    hint="The gradient of a step is the mean over the ranks. Which part of it is yours, and how do "
    "the new weights of the others get to you?",
    rtol=1e-4,
    atol=1e-5,
)

checks.part(
    exercises.options_and_weights_are_read_at_each_step,
    points=1,
    inputs={
        "gradients": [
            [[[[1.0, -2.0, 0.5]], 1.0], [[[3.0, 1.0, -2.0]], 2.0]],
            [[[[2.0, 1.0, -0.5]], -1.0], [[[-1.0, 2.0, 1.0]], -3.0]],
        ],
        "rates": [0.1, 0.02],
        "assigned": 5.0,
        "tiny": 1e-7,
    },
    randomize=["gradients", "rates", "assigned", "tiny"],
    expect={
        # First 0.1 * 1.5 / (1.5 + 1), with epsilon 1. The other two are as long as the rate.
        "w, w once assigned, and calls in three steps, by rank": [[-0.04, 5.02, CALLS]] * 2,
        # Epsilon is a tenth of its gradient: twice 0.5 / 1.1.
        "a single number on four ranks, after two steps": [-0.909091] * 4,
    },
    hint="Once both betas are 0 a step is as long as the rate. From where does the part of your "
    "rank start, and with which options? How often does it call each of the two methods, and may a "
    "rank have padding only?",
    rtol=1e-3,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_on_all_ranks,
    points=1,
    inputs={
        "starts": [[1.0, 2.0], [3.0, 4.0, 5.0], 6.0],
        # First the first parameter has none, then the second.
        "gradients": [
            [[[0.5, 1.0], [-2.0, -4.0, -1.5], 6.0], [[0.3, 2.0], [-4.0, -3.0, -2.5], 8.0]],
            [[None, [-1.0, -4.0, -2.0], 4.0], [None, [-2.0, -2.0, -3.0], 9.0]],
            [[[0.5, 2.0], None, 7.0], [[1.0, 1.0], None, 5.0]],
            [[[1.0, 1.5], [-3.0, -2.0, -1.0], 9.0], [[0.4, 2.0], [-5.0, -2.0, -2.0], 3.0]],
        ],
        "rate": 0.02,
    },
    randomize=["starts", "gradients", "rate"],
    expect={
        "steps in learning rates, by rank, before, in and after the gaps": [
            [
                [[0.587064, 1.195475], [0.560379, 0.91321, 1.369816], 2.895292],
                [[0.0, 0.0], [0.637458, 0.918874, 1.333413], 2.861787],
                [[0.65462, 1.183521], [0.0, 0.0, 0.0], 2.825552],
                [[0.674735, 1.189603], [0.569663, 0.964005, 1.36739], 2.794166],
            ]
        ]
        * 2,
        "moved in a first step without a gradient, and in the next with one": [[False, True]] * 2,
        "w after a gradient of NaN and 0": [[NAN, 1.5]] * 2,  # a quarter of 2 decays
    },
    rtol=1e-3,
    hint="A parameter that has no gradient on any rank stays as it is. What stands in its place in "
    "the flat gradient, and what do decay and moments make of it? A gradient of 0, or of NaN, is "
    "none that is missing.",
)

checks.part(
    exercises.what_sharded_adamw_is_given_stays,
    points=1,
    inputs={
        "gradients": [
            [[[[1.0, -2.0, 0.5]], 1.5], [[[-1.0, 4.0, 2.5]], 0.5]],
            [[[[2.0, 1.0, -1.5]], 2.5], [[[3.0, -4.0, 0.5]], 3.5]],
        ]
    },
    randomize=["gradients"],
    expect={
        "gradients, whether they are those given, Tensors, shapes, t, after zero_grad()": [
            [gradients, [True, True], [True, True], [[1, 3], []], [0, 1, 2, 3], [None, None]]
            for gradients in ([[[2.0, 1.0, -1.5]], 2.5], [[[3.0, -4.0, 0.5]], 3.5])
        ],
        "options by default": [
            {
                "learning_rate": 0.001,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "weight_decay": 0.01,
            }
        ],
    },
    hint="The mean of the gradients is an array of yours. Do you count calls, the first without a "
    "gradient too, and do you write to anything that you are given but the weights?",
    rtol=1e-6,
    atol=0.0,
)
