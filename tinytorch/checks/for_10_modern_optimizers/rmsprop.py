"""What is expected in `test-rmsprop`: RMSprop, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import rmsprop as exercises
from .rules import OF_GROUPS, OF_MISSING_GRADIENTS, arguments, what_stays

checks = Checks("test-rmsprop", points=10, names=["RMSprop"])


checks.part(
    exercises.the_first_steps_of_rmsprop_follow_the_rule,
    points=5,
    inputs={"gradients": [[1.0, -10.0, 0.1], [2.0, 5.0, 0.1], [-1.0, 5.0, 0.5]], "rate": 0.1},
    randomize=["gradients", "rate"],
    expect={
        "steps in learning rates": [
            [-9.999999, 10.0, -9.99999],
            [-8.953229, -4.490133, -7.088807],
            [4.103015, -4.113311, -9.627835],
        ]
    },
    hint="Work out v for the first two gradients. How long is the very first step with alpha 0.99, "
    "whatever the gradient, and is anything corrected?",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.v_is_a_running_average_of_squares,
    points=1,
    inputs={
        "history": [1.0, 2.0],
        "gradients": [[2.0, 2.0], [0.0, 0.0], [0.25, 1.0]],
        "alpha": 0.75,
    },
    randomize=["history", "gradients"],
    expect={"steps": [[-1.511858, -1.0], [0.0, 0.0], [-0.25, -0.632456]]},
    hint="After many gradients of 1 comes a 2: is v then 0.75 * 1 + 0.25 * 4, for each element on "
    "its own? And a gradient of zeros is a gradient.",
    rtol=3e-3,
    atol=1e-4,
)

checks.part(
    exercises.epsilon_of_rmsprop_stands_outside_the_root,
    points=1,
    inputs={"gradient": [1.0, 3.0], "epsilon": 1.0},
    randomize=["gradient", "epsilon"],
    expect={"first step": [-0.05, -0.075]},
    hint="With alpha 0, g = 1 and epsilon = 1 a step is 1 / (1 + 1) rates. Where does yours stand?",
    rtol=1e-3,
)

checks.part(
    exercises.groups_of_rmsprop_have_options_of_their_own,
    points=1,
    inputs={
        "start": [1.0, -2.0],
        "gradient": [1.0, -3.0],
        "options": [
            {"learning_rate": 0.1, "alpha": 0.5},
            {"learning_rate": 0.02, "epsilon": 0.5},
        ],
    },
    randomize=["start", "gradient", "options"],
    expect={
        **OF_GROUPS,
        "w where learning_rate is 0 from the first step": [[1.0, -2.0], [1.0, -2.0]],
        # v is 4 and then 0.25 * 4 + 0.75 * 16, so the step 0.5 * 4 / (sqrt(13) + 1).
        "step after options that were set later": [[-0.434259]],
    },
    hint="From where does your step read the rate, alpha and epsilon, and when?",
    atol=1e-5,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_rmsprop,
    points=1,
    inputs={"start": [1.0, -2.0], "gradient": [1.0, -2.0], "tiny": 1e-7},
    randomize=["start", "gradient", "tiny"],
    expect={
        **OF_MISSING_GRADIENTS,
        "w while its first gradient is missing": [1.0, -2.0],
        # 1 / (sqrt(0.5) + 0.1) and 1 / (sqrt(0.75) + 0.1): epsilon is a tenth of the gradient.
        "steps where the gradient is tiny": [[-1.238993], [-1.035170]],
        "is NaN after a gradient of NaN and 1": [True, False],
    },
    hint="A parameter without a gradient is skipped. Does its average decay meanwhile? A tiny "
    "gradient, or one of NaN, is none that is missing: are its squares kept with all digits?",
    atol=1e-5,
)

checks.part(
    exercises.what_rmsprop_is_given_stays,
    points=1,
    inputs={
        "rows": [[1.0, [2.0, -3.0], [[0.5], [4.0]]], [0.5, [1.0, 1.0], [[2.0], [-1.0]]]],
        "values": [0.3, 0.5, 0.001],
    },
    randomize=["rows", "values"],
    expect={
        **arguments([0.01, 0.99, 1e-8], [0.3, 0.5, 0.001]),
        **what_stays([[], [2], [2, 1]], states=1),
    },
    hint="Compare names and defaults with the docstring. Is your v an array of its own, and do you "
    "square a gradient in place?",
    atol=0.0,
    rtol=1e-6,
)
