"""What is expected in `test-sgd`: SGD, 15 points."""

from __future__ import annotations

from tinytorch.checks import Checks, GreaterThan

from .exercises import sgd as exercises
from .exercises.sgd import NAN

checks = Checks("test-sgd", points=15, names=["SGD"])


checks.part(
    exercises.momentum_accumulates,
    points=8,
    inputs={
        "gradients": [[1.0, 10.0], [1.0, 10.0], [-1.0, 2.0]],
        "rates": [0.1, 0.01],
        "momenta": [0.7, 0.3],
    },
    randomize=["gradients", "rates", "momenta"],
    expect={
        "w after each step": {
            "first momentum": [[-0.1, -1.0], [-0.27, -2.7], [-0.289, -4.09]],
            "second momentum": [[-0.1, -1.0], [-0.23, -2.3], [-0.169, -2.89]],
        },
        "second step after a new rate, in lengths of the first": [1.0, 1.0],
    },
    hint="With g = 1 and momentum 0.7, is the velocity 1, then 1.7? Which factor stands before g, "
    "and does the velocity know anything of the rate?",
    rtol=1e-3,
)

checks.part(
    exercises.plain_sgd_follows_the_gradient_alone,
    points=1,
    inputs={
        "starts": [[[1000.0, -2000.0], [3.0, 4.0]], 1000.0, [[[1.0], [2.0]]]],
        "gradients": [[[1.0, -8.0], [60.0, 0.0]], 20.0, [[[30.0], [-10.0]]]],
        "assigned": [[[1.0, 2.0], [3.0, 4.0]], 1.0, [[[5.0], [6.0]]]],
        "rate": 0.5,
    },
    randomize=["starts", "gradients", "assigned", "rate"],
    expect={
        "parameters after two steps": [
            [[999.0, -1992.0], [-57.0, 4.0]],
            980.0,
            [[[-29.0], [12.0]]],
        ],
        "after one step from data that was assigned": [
            [[0.5, 6.0], [-27.0, 4.0]],
            -9.0,
            [[[-10.0], [11.0]]],
        ],
        "data is a Tensor": [True, True, True],
    },
    hint="Without momentum an element moves by learning_rate times its own gradient: nothing else "
    "pulls at it, and nothing is remembered. Do you visit all parameters, and keep their shapes?",
    rtol=1e-6,
)

checks.part(
    exercises.every_parameter_has_its_own_velocity,
    points=1,
    inputs={"gradients": [[1.0, 2.0], [-5.0, 0.0], [[3.0], [4.0]]], "momentum": 0.5},
    randomize=["gradients", "momentum"],
    expect={
        "steps, as multiples of the first number": [[1.0, 2.0], [-5.0, 0.0], [3.0, 4.0]],
        "last step of the first number, in its steps before": 1.0,
        "entries in velocity": 3,
        "first steps of another SGD": [[1.0, 2.0], [-5.0, 0.0], [3.0, 4.0]],
        "the first SGD's next step, in its steps before": 1.0,
    },
    hint="Constant gradients, so each velocity should end up along its own gradient. By what do "
    "you find the velocity of a parameter again, and who else can see it?",
    rtol=1e-3,
)

checks.part(
    exercises.a_new_rate_counts_at_once,
    points=1,
    inputs={"rates": [0.1, 0.01], "momenta": [0.0, 0.7]},
    randomize=["rates", "momenta"],
    expect={
        "step after the rate fell to a tenth, in lengths of the one before": [0.1, 0.1],
        "step after one with the rate 0, in rates": 1.7,
    },
    hint="When is learning_rate read? And does the velocity still hold the rate of earlier steps?",
    rtol=1e-3,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter,
    points=1,
    inputs={"momentum": 0.5, "sizes": [2.0, 3.0, 1.0]},
    randomize=["momentum", "sizes"],
    expect={
        "steps while the gradient of one is missing": {"that one": [0.0, 0.0], "other": [1.0, 1.0]},
        "its next step, where the other's is 1": 3.0,
        "first step, where the gradient is missing at first": 0.0,
        "its first real step less that of another, each by its gradient": 0.0,
        "later step of that parameter": 2.0,
        "step where its gradient is 0, and not missing": 1.0,
        "steps without momentum, where the first gradient is missing": [0.0, 3.0, 1.0],
        "step where a gradient is NaN": [NAN, 3.0, 1.0],
        "the same with momentum, each by its gradient": [NAN, 1.0, 1.0],
    },
    hint="A parameter without a gradient is skipped. Does it move on with its old velocity, does "
    "the velocity decay meanwhile, and do the other parameters still get their turn? A gradient of "
    "zeros, or of NaN, is a gradient.",
    rtol=1e-3,
)

checks.part(
    exercises.gradients_are_not_changed,
    points=1,
    inputs={"gradients": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]], "momenta": [0.0, 0.7]},
    randomize=["gradients", "momenta"],
    expect={
        "gradients afterwards": [
            [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]],
            [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]],
        ],
        "grad after each run": [[5.0, 6.0], [5.0, 6.0]],
        "w moves": [True, True],
    },
    hint="Is your velocity, after the first step, an array of its own or the gradient's array? Who "
    "besides zero_grad() may forget a gradient?",
)

checks.part(
    exercises.zero_grad_forgets_gradients_and_nothing_else,
    points=1,
    inputs={"starts": [3.0, -1.0, 2.0]},
    randomize=["starts"],
    expect={
        "grads after zero_grad()": [None, None, None],
        "a gradient that somebody kept": 1.0,
        "values after zero_grad()": [3.0, -1.0, 2.0],
        "moved by zero_grad() after a step": 0.0,
        "second step, in lengths of the first": GreaterThan(1.2),
    },
    hint="zero_grad() sets each grad to None, not to zeros. What else does yours touch?",
)

checks.part(
    exercises.arguments_are_kept,
    points=1,
    inputs={"rate": 0.3, "momentum": 0.7},
    randomize=["rate", "momentum"],
    expect={
        "defaults of learning_rate and momentum": [0.01, 0.0],
        "learning_rate and momentum as given": [0.3, 0.7],
        "both where 0 is given": [0.0, 0.0],
        "parameters are those given": [True, True],
    },
    hint="Compare the names and the defaults in the docstring with your constructor. 0 is a number "
    "that one may give.",
)
