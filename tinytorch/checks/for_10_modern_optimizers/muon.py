"""What is expected in `test-muon`: newton_schulz and Muon, 20 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import muon as exercises
from .rules import OF_GROUPS, OF_MISSING_GRADIENTS, arguments, what_stays

checks = Checks("test-muon", points=20, names=["newton_schulz", "Muon"])


checks.part(
    exercises.singular_values_follow_the_polynomial,
    points=5,
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
    hint="A matrix that was transposed at the beginning is transposed back at the end.",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.the_size_of_the_matrix_does_not_matter,
    points=2,
    inputs={"matrix": [[1.0, 0.5], [-2.0, 1.5]], "factors": [1000.0, 0.001]},
    randomize=["matrix", "factors"],
    expect={
        "apart from that of the matrix itself": [0.0, 0.0],
        "of zeros": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        "apart where it is float32": 0.0,
        "largest change of the matrix": 0.0,
        "size of the largest element": True,
    },
    hint="The division takes the size out. What is zero divided by its norm, and do you divide in "
    "place?",
    atol=1e-3,
)

checks.part(
    exercises.steps_are_orthogonalized_look_aheads,
    points=5,
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
    "the new? (It rests on newton_schulz: see the parts above first.)",
    rtol=2e-3,
    atol=1e-3,
)

checks.part(
    exercises.tall_matrices_take_longer_steps,
    points=2,
    inputs={
        "tall": [[1.0, 0.5], [-2.0, 1.5], [0.5, 1.0], [1.0, -1.0], [2.0, 0.5], [0.5, 3.0]],
        "rate": 0.1,
        "factor": 50.0,
    },
    randomize=["tall", "rate", "factor"],
    expect={
        "length of tall by wide": 1.732051,
        "by those with a larger gradient": [1.0, 1.0],
        "direction is against the gradient": True,
    },
    hint="Six rows and two columns: the step is sqrt(3) times as long as that of the transposed "
    "matrix. What is the factor of a matrix with more columns than rows?",
    rtol=2e-3,
)

checks.part(
    exercises.the_decay_of_muon_is_decoupled,
    points=1,
    inputs={"start": [[4.0, -2.0], [0.0, 8.0]], "rate": 0.5, "weight_decay": 0.2},
    randomize=["start", "rate", "weight_decay"],
    expect={"after two steps where the gradient is 0": [[3.24, -1.62], [0.0, 6.48]]},
    hint="With gradients of 0 only the decay is left: a step takes 0.5 * 0.2 of the weight. Does "
    "yours go through the velocity?",
)

checks.part(
    exercises.what_is_no_matrix_is_refused,
    points=1,
    inputs={"shapes": [[3], [], [2, 3, 4]]},
    choices={"shapes": [[[3], [], [2, 3, 4]], [[5], [], [3, 1, 2]]]},
    expect={"names the shape, and AdamW": [[True, True]] * 3},
    hint="Somebody gives all parameters of a network to Muon. What should the message tell?",
)

checks.part(
    exercises.groups_of_muon_have_options_of_their_own,
    points=1,
    inputs={
        "gradient": [[1.0, -3.0], [0.5, 2.0]],
        "options": [
            {"learning_rate": 0.1, "momentum": 0.5, "steps": 2},
            {"learning_rate": 0.02, "weight_decay": 0.5},
        ],
    },
    randomize=["gradient", "options"],
    expect=OF_GROUPS,
    hint="From where does your step read its four options, and when?",
    atol=1e-4,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_muon,
    points=1,
    inputs={"gradient": [[1.0, -2.0], [0.5, 3.0]]},
    randomize=["gradient"],
    expect=OF_MISSING_GRADIENTS,
    hint="A matrix without a gradient is skipped. Does it coast, and is it decayed?",
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
