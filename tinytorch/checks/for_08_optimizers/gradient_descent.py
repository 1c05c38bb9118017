"""What is expected in `test-gradient-descent`: gradient_descent_step, 10 points."""

from __future__ import annotations

from tinytorch.checks import Checks

from .exercises import gradient_descent as exercises
from .exercises.gradient_descent import NAN

checks = Checks("test-gradient-descent", points=10, names=["gradient_descent_step"])


checks.part(
    exercises.each_element_moves_against_its_own_gradient,
    points=5,
    inputs={
        "start": [[1.0, -2.0], [0.5, 0.01]],
        "gradient": [[0.5, -1.0], [40.0, 0.0]],
        "rate": 0.1,
    },
    randomize=["start", "gradient", "rate"],
    expect={"w, in one row": [0.95, -1.9, -3.5, 0.01]},
    hint="Work out the first element by hand. Is the rate applied once, and against the gradient?",
)

checks.part(
    exercises.the_rate_is_the_one_given,
    points=1,
    inputs={"start": 3.0, "gradient": 2.0, "rates": [0.5, 0.01, 0.0, 2.0]},
    randomize=["start", "gradient", "rates"],
    expect={"w for each rate": [2.0, 2.98, 3.0, -1.0]},
    hint="Each call has its own learning_rate. Where does yours come from?",
)

checks.part(
    exercises.data_stays_a_tensor_of_its_shape,
    points=1,
    inputs={"shapes": [[], [2], [3, 1], [1, 1], [2, 1, 2]]},
    choices={
        "shapes": [
            [[3], [], [1, 2], [5, 1], [1, 3, 2]],
            [[3, 1], [1], [2, 2, 1], [5], []],
            [[1, 3], [], [2, 4, 1], [4], [3]],
        ]
    },
    expect={
        "w.data is a Tensor": [True] * 5,
        "shapes": [[], [2], [3, 1], [1, 1], [2, 1, 2]],
        "w moves": [True] * 5,
    },
    hint="w.data was a Tensor of this shape before the step. What is it afterwards?",
)

checks.part(
    exercises.a_parameter_without_gradient_stays,
    points=2,
    inputs={"start": [1.0, 2.0]},
    randomize=["start"],
    expect={
        "w without a gradient": [1.0, 2.0],
        "its gradient afterwards": None,
        "w moves once it has a gradient": True,
        "w after a gradient of NaN and 0": [NAN, 2.0],
    },
    hint="What is parameter.grad before the first backward(), and what should a step do then? NaN "
    "is no missing gradient.",
)

checks.part(
    exercises.the_gradient_is_not_changed,
    points=1,
    inputs={"start": [1.0, 2.0], "gradient": [3.0, -4.0]},
    randomize=["start", "gradient"],
    expect={"gradient after two steps": [3.0, -4.0], "w moves": True},
    hint="Does a line of yours write into the gradient's array, or replace w.grad?",
)
