"""What is expected in `test-parameter-groups`: split_decay, 5 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import parameter_groups as exercises

checks = Checks("test-parameter-groups", points=5, names=["split_decay"])


checks.part(
    exercises.matrices_are_decayed_and_the_rest_is_not,
    points=3,
    inputs={"shapes": [[3, 2], [2], [], [2, 3, 4], [1, 1], [5]], "weight_decay": 0.1},
    randomize=["weight_decay"],
    expect={"decay of each parameter": [0.1, 0.0, 0.0, 0.1, 0.1, 0.0]},
    hint="A matrix has 2 dimensions and a kernel of a convolution 4, however few elements there "
    "are. How many has a bias?",
)

checks.part(
    exercises.every_parameter_is_in_one_group_in_order,
    points=1,
    inputs={"shapes": [[3, 2], [2], [2, 1, 2], [2], [], [3, 2]], "weight_decay": 0.3},
    randomize=["weight_decay"],
    choices={"shapes": [[[3], [2, 2], [], [2, 2], [3]], [[2, 1], [], [3, 2, 1], [], [2, 1]]]},
    expect={"positions in both groups, sorted": [0, 1, 2, 3, 4, 5], "in order": [True, True]},
    hint="The groups hold the parameters that were given, not copies. Is any of them lost, or in "
    "both?",
)

checks.part(
    exercises.a_group_may_be_empty,
    points=1,
    inputs={"weight_decay": 0.2},
    randomize=["weight_decay"],
    expect={
        "size and decay of both groups": [
            [[1, 0.2], [0, 0.0]],
            [[0, 0.2], [1, 0.0]],
            [[1, 0.0], [0, 0.0]],
        ]
    },
    hint="Whoever gets the two groups unpacks two, the decayed one first. What does yours return "
    "without a vector?",
)
