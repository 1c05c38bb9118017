"""What is expected in `test-muon`: newton_schulz and Muon, 20 points."""

from __future__ import annotations

from tinytorch.checks import Between, Checks

from .exercises import muon as exercises
from .rules import OF_GROUPS, OF_MISSING_GRADIENTS, arguments, what_stays

checks = Checks("test-muon", points=20, names=["newton_schulz", "Muon"])


checks.part(
    exercises.singular_values_follow_the_polynomial,
    points=2,
    inputs={"matrix": [[3.0, -1.0, 0.5], [1.0, 2.0, -4.0]]},
    randomize=["matrix"],
    expect={
        "after 1 step": [[1.142113, -0.34406, 0.124916], [0.253758, 0.397583, -0.818722]],
        "after 5 steps": [[0.641005, -0.220563, 0.119146], [0.237553, 0.49579, -0.987148]],
        "by default": [[0.641005, -0.220563, 0.119146], [0.237553, 0.49579, -0.987148]],
    },
    hint="After the division, one step turns every singular value x into 3.4445 x - 4.7750 x^3 + "
    "2.0315 x^5. By which norm do you divide, and what are A and A A multiplied with?",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.a_tall_matrix_keeps_its_shape,
    points=1,
    inputs={"matrix": [[2.0, 1.0, -0.5], [1.0, -3.0, 1.0]]},
    randomize=["matrix"],
    expect={
        "shapes": [[2, 3], [3, 2]],
        "tall": [[0.615304, 0.317745], [0.322792, -0.983517], [-0.159233, 0.32856]],
        "a column": [0.626993, 0.313497],
    },
    hint="A matrix that was transposed at the beginning is transposed back at the end. (It rests "
    "on the part above.)",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.the_size_of_the_matrix_does_not_matter,
    points=1,
    inputs={"matrix": [[1.0, 0.5], [-2.0, 1.5]], "factors": [1000.0, 0.001]},
    randomize=["matrix", "factors"],
    expect={
        "of multiples": [[[0.687614, 0.788575], [-0.485693, 0.586653]]] * 2,
        "where it is float32": [[0.687614, 0.788575], [-0.485693, 0.586653]],
        "of a tiny multiple, after 1 step": [[0.326988, 0.17794], [-0.625085, 0.476036]],
        "of zeros": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        "that of zeros is a new array": True,
        "largest change of the matrix": [0.0, 0.0],
    },
    hint="The division takes the size out. What is zero divided by its norm? Is 1e-7 the least "
    "divisor, or is it added? And do you divide in place?",
    atol=1e-3,
)

checks.part(
    exercises.a_step_is_equally_strong_in_all_directions,
    points=6,
    inputs={
        "gradient": [[600.0, 100.0, -50.0], [-100.0, 300.0, 50.0], [50.0, -50.0, 200.0]],
        "rate": 0.1,
    },
    randomize=["gradient", "rate"],
    expect={
        "strengths, in learning rates": Between(0.6, 1.25),
        "directions": [
            [-0.969604, -0.22389, 0.098701],
            [0.200917, -0.958752, -0.201063],
            [-0.139645, 0.17512, -0.974593],
        ],
    },
    hint="The gradient has strengths from 600 to 200, a step of Muon about 1 in all directions, "
    "times the rate. Which function brings them there, and what do you give to it?",
    rtol=2e-3,
    atol=1e-3,
)

checks.part(
    exercises.steps_are_orthogonalized_look_aheads,
    points=4,
    inputs={
        "start": [[1.0, 2.0], [-1.0, 0.5]],
        "gradients": [
            [[1.0, 0.5], [-0.5, 2.0]],
            [[-3.0, 1.0], [1.0, 2.0]],
            [[0.5, -6.0], [4.0, 1.0]],
        ],
        "rate": 0.1,
        "momentum": 0.9,
    },
    randomize=["start", "gradients", "rate"],
    choices={"momentum": [0.9, 0.8, 0.6]},
    expect={
        "steps in learning rates": [
            [[-1.00897, -0.2795], [0.2795, -0.668032]],
            [[0.947931, -0.380243], [-0.330515, -0.980468]],
            [[-0.389409, 0.801875], [-0.944493, -0.014613]],
        ]
    },
    hint="What is orthogonalized is u, and not v or g. Which v does u look ahead with, the old or "
    "the new, and with which factor does g enter v and u? (It rests on the parts above.)",
    rtol=2e-3,
    atol=1e-3,
)

checks.part(
    exercises.tall_matrices_take_longer_steps,
    points=1,
    inputs={"shape": [6, 2], "start": 0.5, "rate": 0.1},
    randomize=["start", "rate"],
    choices={"shape": [[8, 2], [5, 2], [4, 3], [7, 3]]},
    expect={"lengths in learning rates, tall and wide": [1.732051, 1.0]},
    hint="With steps = 0 newton_schulz only divides, so its length is 1. With six rows and two "
    "columns the step is sqrt(3) times as long. And with more columns than rows?",
    rtol=1e-3,
)

checks.part(
    exercises.the_decay_of_muon_is_decoupled,
    points=1,
    inputs={"start": [[4.0, -2.0], [0.0, 8.0], [3.0, 5.0]], "rate": 0.5, "weight_decay": 0.2},
    randomize=["start", "rate", "weight_decay"],
    expect={
        "after two steps where the gradient is 0": [[3.24, -1.62], [0.0, 6.48], [2.43, 4.05]],
        "a step, less that without decay": [[-0.4, 0.2], [0.0, -0.8], [-0.3, -0.5]],
    },
    hint="With gradients of 0 only the decay is left: a step takes 0.5 * 0.2 of the weight. Does "
    "yours go through the velocity, and which comes first, decay or step?",
)

checks.part(
    exercises.what_is_no_matrix_is_refused,
    points=1,
    inputs={"shapes": [[3], [], [2, 3, 4]]},
    choices={"shapes": [[[6], [], [2, 2, 4]], [[5], [], [3, 1, 2]]]},
    expect={
        "what the message names, for three shapes and for the first in a second group": [
            *[["(3,)", "AdamW"], ["()", "AdamW"], ["(2, 3, 4)", "AdamW"]],
            ["(3,)", "AdamW"],
        ]
    },
    hint="Somebody gives all parameters of a network to Muon. What should the message tell?",
)

checks.part(
    exercises.groups_of_muon_have_options_of_their_own,
    points=1,
    inputs={
        "gradient": [[100.0, -300.0], [50.0, 200.0]],
        "options": [
            {"learning_rate": 0.1, "momentum": 0.5, "steps": 2},
            {"learning_rate": 0.02, "weight_decay": 0.5},
        ],
    },
    randomize=["gradient", "options"],
    expect={
        **OF_GROUPS,
        "step along the velocity, with options set later, less one along its gradient": [
            [0.0, 0.0],
            [0.0, 0.0],
        ],
        "options of the groups": [
            {"learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.0, "steps": 2},
            {"learning_rate": 0.02, "momentum": 0.95, "weight_decay": 0.5, "steps": 5},
        ],
    },
    hint="From where does your step read its four options, and when? And is there a velocity where "
    "the momentum is 0?",
    atol=1e-4,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_muon,
    points=1,
    inputs={
        "start": [[1.0, 0.5], [-1.0, 2.0]],
        "gradient": [[1.0, -2.0], [0.5, 3.0]],
        "tiny": 3e-6,
    },
    randomize=["start", "gradient", "tiny"],
    expect={
        **OF_MISSING_GRADIENTS,
        "where it never has a gradient": [[1.0, 0.5], [-1.0, 2.0]],
        "direction where the gradient is tiny, less that where it is not": [[0.0, 0.0], [0.0, 0.0]],
    },
    hint="A matrix without a gradient is skipped. Does it coast, and is it decayed? A tiny "
    "gradient is none that is missing: is it in your velocity with all its digits?",
    atol=1e-4,
)

checks.part(
    exercises.what_muon_is_given_stays,
    points=1,
    inputs={
        "rows": [
            [[[1.0, 2.0]], [[2.0, -3.0], [1.0, 1.0]], [[0.5], [4.0]]],
            [[[0.5, 1.0]], [[1.0, 1.0], [-2.0, 1.0]], [[2.0], [-1.0]]],
        ],
        "values": [0.3, 0.5, 0.001, 3],
    },
    randomize=["rows", "values"],
    expect={
        **arguments([0.02, 0.95, 0.0, 5], [0.3, 0.5, 0.001, 3]),
        **what_stays([[1, 2], [2, 2], [2, 1]], states=1),
    },
    hint="Compare names and defaults with the docstring. Is your velocity an array of its own, and "
    "is the gradient still what it was?",
    atol=0.0,
    rtol=1e-6,
)
