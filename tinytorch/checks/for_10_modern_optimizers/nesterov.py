"""What is expected in `test-nesterov`: NesterovSGD, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import nesterov as exercises
from .rules import OF_GROUPS, OF_MISSING_GRADIENTS, arguments, what_stays

checks = Checks("test-nesterov", points=10, names=["NesterovSGD"])


checks.part(
    exercises.each_step_looks_ahead,
    points=5,
    inputs={
        "gradients": [[1.0, -2.0], [1.0, 1.0], [1.0, 0.5], [-1.0, 0.0]],
        "rate": 0.1,
        "momentum": 0.9,
    },
    randomize=["gradients", "rate"],
    expect={
        "steps in learning rates": [
            [-1.9, 3.8],
            [-2.71, -0.28],
            [-3.439, -0.302],
            [-0.2951, 0.1782],
        ]
    },
    hint="For a constant gradient of 1 and momentum 0.9 the steps are 1.9, 2.71 and 3.439 rates. "
    "Which velocity do you move along, the old or the new, and by what besides?",
    rtol=1e-3,
    atol=5e-3,
)

checks.part(
    exercises.weight_decay_is_part_of_the_gradient,
    points=2,
    inputs={"start": [10.0, -4.0], "rate": 0.1, "weight_decay": 0.2},
    randomize=["start", "rate", "weight_decay"],
    expect={
        "steps where the gradient is 0": [[-0.3, 0.12], [-0.341, 0.1364], [-0.35427, 0.141708]]
    },
    hint="Where the gradient is 0, g is weight_decay * w. Does it go through the velocity too?",
    rtol=1e-3,
    atol=1e-5,
)

checks.part(
    exercises.groups_of_nesterov_have_options_of_their_own,
    points=1,
    inputs={
        "start": [1.0, -2.0],
        "gradient": [1.0, -3.0],
        "options": [
            {"learning_rate": 0.1, "momentum": 0.5},
            {"learning_rate": 0.02, "weight_decay": 0.5},
        ],
    },
    randomize=["start", "gradient", "options"],
    expect={
        **OF_GROUPS,
        "w where learning_rate is 0 from the first step": [[1.0, -2.0], [1.0, -2.0]],
        # v is 2 and then 0.5 * 2 + 4, and the step 4 + 0.5 * 5. Then g = 10.5 - 8.5, since w is
        # -8.5; v is 0.25 * 5 + 2, and the step 0.5 * (2 + 0.25 * 3.25).
        "steps after options that were set later": [[[-6.5]], [[-1.40625]]],
    },
    hint="From where does your step read the rate, the momentum and the decay, and when?",
    atol=1e-5,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_nesterov,
    points=1,
    inputs={"start": [1.0, -2.0], "gradient": [1.0, -2.0], "tiny": 1e-8},
    randomize=["start", "gradient", "tiny"],
    expect={
        **OF_MISSING_GRADIENTS,
        "w while its first gradient is missing": [1.0, -2.0],
        # The rate is 1e8.
        "steps where the gradient is tiny": [[-1.9], [-2.71]],
        "is NaN after a gradient of NaN and 1": [True, False],
    },
    hint="A parameter without a gradient is skipped. Does it coast, and is it decayed? A tiny "
    "gradient, or one of NaN, is none that is missing: is it in your velocity as it is?",
    atol=1e-5,
)

checks.part(
    exercises.what_nesterov_is_given_stays,
    points=1,
    inputs={
        "rows": [[1.0, [2.0, -3.0], [[0.5], [4.0]]], [0.5, [1.0, 1.0], [[2.0], [-1.0]]]],
        "values": [0.3, 0.5, 0.001],
    },
    randomize=["rows", "values"],
    expect={
        **arguments([0.01, 0.9, 0.0], [0.3, 0.5, 0.001]),
        **what_stays([[], [2], [2, 1]], states=1),
    },
    hint="Compare names and defaults with the docstring. Do you add the decay to the gradient "
    "itself, and is your velocity an array of its own?",
    atol=0.0,
    rtol=1e-6,
)
