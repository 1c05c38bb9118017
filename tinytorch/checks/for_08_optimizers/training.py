"""What is expected in `test-training-integration`: train_simple_model, 25 points."""

from __future__ import annotations

from tinytorch.checks import Between, Checks, GreaterThan

from .exercises import training as exercises
from .exercises.training import PLACES, UNROUNDED

checks = Checks("test-training-integration", points=25, names=["train_simple_model", "SGD", "Adam"])


checks.part(
    exercises.sgd_finds_the_line,
    points=5,
    inputs={"x": 20.0},
    choices={"x": [1.0, 400.0, 8000.0]},
    expect={
        "w": Between(1.9, 2.1),
        "b": Between(0.9, 1.1),
        "w * x + b at the given x": 41.0,
        "calls of SGD.step()": GreaterThan(0),
        "the fit comes from SGD.step()": True,
    },
    hint="Does the loss fall from epoch to epoch? Check data, order of the four lines and rate.",
    rtol=0.06,  # more than what w and b may be off by
)

checks.part(
    exercises.adam_gets_near_the_line,
    points=8,
    inputs={"xs": [1.0, 2.0, 3.0, 4.0, 5.0], "ys": [3.0, 5.0, 7.0, 9.0, 11.0], "x": 20.0},
    choices={"x": [1.0, 400.0, 8000.0]},
    expect={
        "w": Between(1.0, 3.0),
        "b": Between(0.0, 2.0),
        "mean squared error": Between(0.0, 10.4),
        "w * x + b at the given x": 33.7,
        "calls of Adam.step()": GreaterThan(0),
        "the fit comes from Adam.step()": True,
    },
    hint="Adam walks about learning_rate a step. Are steps times rate enough for the way to go?",
    rtol=0.9,  # more than what w and b may be off by
    atol=0.9,
)

checks.part(
    exercises.the_sgd_fit_comes_from_sgd,
    points=2,
    inputs=PLACES,
    randomize=[*PLACES],
    expect={"SGD fit": [5.0, 5.0], "training moves the fit": True},
    hint="Here SGD.step() puts w and b at 5. Where does the fit that you return come from?",
)

checks.part(
    exercises.the_adam_fit_comes_from_adam,
    points=2,
    inputs=PLACES,
    randomize=[*PLACES],
    expect={"Adam fit": [-4.0, -4.0], "training moves the fit": True},
    hint="Here Adam.step() puts w and b at -4. Where does the fit that you return come from?",
)

checks.part(
    exercises.the_fits_are_where_the_last_step_left_them,
    points=1,
    inputs=PLACES,
    expect={
        f"between the fits and {UNROUNDED} or {-UNROUNDED}, where steps put w and b": {
            "SGD": [0.0, 0.0],
            "Adam": [0.0, 0.0],
        },
        "between the fits and where the last step left w and b": {
            "SGD": [0.0, 0.0],
            "Adam": [0.0, 0.0],
        },
        "fits are where the last step put them, be it NaN": {
            "SGD": [True, True],
            "Adam": [True, True],
        },
        "a right number where step() does nothing": False,
    },
    hint="Between the last step and your return, what happens to w and b? Which step is the last?",
)

checks.part(
    exercises.both_start_from_the_same_point,
    points=2,
    inputs=PLACES,
    expect={
        "start of what came to be w and b": {"SGD": [0.1, 0.0], "Adam": [0.1, 0.0]},
        "numbers each optimizer holds in a second call": {"SGD": [0.0, 0.1], "Adam": [0.0, 0.1]},
    },
    hint="Where do w and b stand when Adam takes its first step, and which of them is which? Does "
    "a second call begin anew?",
)

checks.part(
    exercises.the_gradients_come_from_autograd,
    points=4,
    inputs=PLACES,
    randomize=[*PLACES],
    expect={
        "fits": {"SGD": [5.0, 5.0], "Adam": [-4.0, -4.0]},
        "numbers for gradients": False,
    },
    hint="Here w and b are put at 5 or -4 once, and backward() gives NaN. What else moves them?",
)

checks.part(
    exercises.progress_is_printed,
    points=1,
    expect={"printed lines with a number": GreaterThan(1)},
    hint="A run that prints nothing cannot be told from one that hangs.",
)
