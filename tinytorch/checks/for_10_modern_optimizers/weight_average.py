"""What is expected in `test-weight-average`: WeightAverage, 5 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import weight_average as exercises

checks = Checks("test-weight-average", points=5, names=["WeightAverage"])


checks.part(
    exercises.averages_follow_the_weights,
    points=2,
    inputs={"weights": [[1.0, -2.0], [3.0, 0.0], [5.0, 8.0]], "decay": 0.75},
    randomize=["weights"],
    choices={"decay": [0.75, 0.5, 0.9]},
    expect={
        "averages before and after each update": [
            [1.0, -2.0],
            [1.0, -2.0],
            [1.5, -1.5],
            [1.5, -1.5],
            [2.375, 0.875],
            [3.03125, 2.65625],
        ]
    },
    hint="From 1, with weights 3 and decay 0.75: 0.75 * 1 + 0.25 * 3. Does your average move when "
    "the weights do, before anybody calls update()?",
)

checks.part(
    exercises.averages_are_applied_and_taken_back,
    points=1,
    inputs={"starts": [[1.0, 2.0], 3.0, -4.0], "weights": [[5.1, -6.3], 4.7, 0.9]},
    randomize=["starts", "weights"],
    expect={
        "inside": [[1.0, 2.0], 3.0, -4.0],
        "data is a Tensor inside": True,
        "after the block": [[5.1, -6.3], 4.7, 0.9],
        "the same to the bit": [True, True, True],
        "averages afterwards": [[1.0, 2.0], 3.0, -4.0],
        "its gradient": [1.0, 1.0],
        "requires_grad": [True, True, True],
    },
    hint="Where are the weights while the averages are in their place, and where if there is a "
    "block inside the block? What if two have the same shape, and which dtype has what you keep?",
    rtol=1e-6,
)

checks.part(
    exercises.weights_come_back_after_an_error,
    points=1,
    inputs={"starts": [[1.0, 2.0], 3.0], "weights": [[5.0, -6.0], 4.0]},
    randomize=["starts", "weights"],
    expect={
        "weights": [[5.0, -6.0], 4.0],
        "averages, less what they were": [[0.0, 0.0], 0.0],
        "errors that came through": 2,
    },
    hint="Which line runs when the block ends by an error, whatever its class? Whose arrays does "
    "the block write to, those of your averages? And what if it assigns data?",
    rtol=1e-6,
)

checks.part(
    exercises.every_parameter_has_its_own_average,
    points=1,
    inputs={"starts": [1.0, [2.0, -1.0], [[0.5], [3.0]]], "moves": [1.0, 2.0, -3.0]},
    randomize=["starts", "moves"],
    expect={
        "averages, less the start": [0.01, [0.02, 0.02], [[-0.03], [-0.03]]],
        "weights, less what they were": [0.0, 0.0, 0.0],
        "averages with decay 0, less the weights": [0.0, [0.0, 0.0], [[0.0], [0.0]]],
        "decay by default and as given": [0.99, 0.0],
        "parameters are those given": [True, True, True],
    },
    hint="Where the weights have moved by 1, each average moves by 1 - 0.99. Do you write to the "
    "weights, do you take a decay of 0 for none, and is what needs no gradient averaged?",
    rtol=1e-3,
    atol=1e-5,
)
