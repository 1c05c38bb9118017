"""What is expected in `test-adam`: Adam, 20 points."""

from __future__ import annotations

from tinytorch.checks import Between, Checks

from .exercises import adam as exercises
from .exercises.adam import NAN

checks = Checks("test-adam", points=20, names=["Adam"])


checks.part(
    exercises.the_first_steps_follow_the_rule,
    points=10,
    inputs={"gradients": [[1.0, -10.0, 0.01], [2.0, 5.0, 0.01], [-1.0, 5.0, 0.05]], "rate": 0.1},
    randomize=["gradients", "rate"],
    expect={
        "w after each step": [
            [-0.1, 0.1, -0.1],
            [-0.196518, 0.126634, -0.2],
            [-0.238527, 0.119326, -0.282497],
        ],
        "w after 120 equal gradients": [-12.0, 12.0, -12.0],
    },
    hint="Work out m, v and both corrected moments for t = 1, 2 and 3. How long is the very first "
    "step, whatever the gradient?",
    rtol=2e-3,
    atol=2e-5,
)

checks.part(
    exercises.first_moment_is_a_running_average,
    points=1,
    inputs={
        "history": [1.0, 2.0],
        "gradients": [[-1.0, -2.0], [-1.0, 2.0], [1.0, 2.0], [0.0, 0.0]],
        "rate": 1e-5,
        "betas": {"beta1": 0.8, "beta2": 0.5},
    },
    randomize=["history", "gradients", "rate"],
    expect={
        "steps in learning rates": [
            [-0.6, -0.6],
            [-0.28, -0.68],
            [-0.424, -0.744],
            [-0.479701, -0.84174],
        ]
    },
    hint="After many gradients of 1, m is 1. After a gradient of -1, is it 0.8 * 1 + 0.2 * (-1)? "
    "And a gradient of zeros is a gradient.",
    rtol=1e-3,
)

checks.part(
    exercises.second_moment_is_a_running_average_of_squares,
    points=1,
    inputs={
        "history": [1.0, 2.0],
        "gradients": [[2.0, 2.0], [0.5, -4.0], [0.25, 1.0]],
        "rate": 1e-5,
        "betas": {"beta1": 0.0, "beta2": 0.75},
    },
    randomize=["history", "gradients", "rate"],
    expect={
        "steps in learning rates": [
            [-1.511858, -1.0],
            [-0.426401, 1.511858],
            [-0.244339, -0.426401],
        ]
    },
    hint="With beta1 = 0 the step is g / sqrt(v). After many gradients of 1 comes a 2: is v then "
    "0.75 * 1 + 0.25 * 4, for each element on its own?",
    rtol=1e-3,
)

checks.part(
    exercises.epsilon_stands_outside_the_root,
    points=1,
    inputs={"start": [0.0, 0.0, 5.0], "gradient": [1.0, 3.0, 0.0], "epsilons": [1.0, 1e-8]},
    randomize=["start", "gradient", "epsilons"],
    expect={"w after two steps": [[-1.0, -1.5, 5.0], [-2.0, -2.0, 5.0]]},
    hint="With both betas 0, g = 1 and epsilon = 1 a step is 1 / (1 + 1). Where does your epsilon "
    "stand, and what moves an element whose gradient is 0?",
    rtol=1e-5,
)

checks.part(
    exercises.epsilon_is_added_after_the_correction,
    points=1,
    inputs={"gradient": [1.0, 3.0], "epsilon": 1.0, "small": 1e-7},
    randomize=["gradient", "epsilon", "small"],
    expect={"first step": [-0.5, -0.75], "first step with a gradient of 1e-7": -0.909091},
    hint="For g = 1 the corrected v is 1, so with epsilon = 1 the first step is 1 / (1 + 1). For a "
    "tiny g it is g / (g + epsilon).",
)

checks.part(
    exercises.arguments_are_kept_and_t_counts_calls,
    points=1,
    inputs={"settings": [0.3, 0.5, 0.6, 1e-3]},
    randomize=["settings"],
    expect={
        "defaults": [0.001, 0.9, 0.999, 1e-8],
        "settings as given": [0.3, 0.5, 0.6, 1e-3],
        "settings where 0 is given": [0.0, 0.0, 0.0, 0.0],
        "parameters are those given": [True, True],
        "t after 0, 1, 2, 3 calls": [0, 1, 2, 3],
        "first steps of two parameters, in steps of the first": [1.0, 1.0],
    },
    hint="t counts calls of step(), not parameters or gradients, and is the same for all of them "
    "within one call. Compare names and defaults with the docstring; 0 may be given.",
    atol=0.0,
)

checks.part(
    exercises.every_parameter_has_its_own_moments,
    points=1,
    inputs={
        "gradients": [1.0, [1.0, 4.0], [-5.0, 2.0], [[1.0, -9.0], [-2.0, 3.0]], [[[2.0], [-1.0]]]],
        "rate": 0.1,
        "betas": {"beta1": 0.5, "beta2": 0.5},
    },
    randomize=["gradients", "rate", "betas"],
    expect={
        "last step": [
            -0.1,
            [-0.1, -0.1],
            [0.1, -0.1],
            [[-0.1, 0.1], [0.1, -0.1]],
            [[[-0.1], [0.1]]],
        ],
        "data is a Tensor": [True] * 5,
        "entries in m and v": [5, 5],
        "step of the first with gradient 0, once data was assigned": -0.0707107,
        "first steps of another Adam with the opposite gradients": [
            0.1,
            [0.1, 0.1],
            [-0.1, 0.1],
            [[0.1, -0.1], [-0.1, 0.1]],
            [[[0.1], [-0.1]]],
        ],
        "the first Adam's next step, with its own gradient": -0.0866025,
    },
    hint="Constant gradients, so each element should end up moving by the rate. By what do you "
    "find the moments of a parameter again, and who else can see them?",
    rtol=1e-3,
)

checks.part(
    exercises.each_step_of_adam_reads_the_rate,
    points=1,
    inputs={"rates": [0.1, 0.01, 1.0], "assigned": 5.0},
    randomize=["rates", "assigned"],
    expect={
        "w after each step": [-0.1, -0.11, -1.11],
        "w after a step from 5": 4.0,
        "step after one at rate 0, less that of an Adam with the rate from the start": 0.0,
    },
    hint="With both betas 0 every step is as long as the rate. When does yours read the rate, and "
    "when parameter.data? Do the moments go on whatever the rate?",
    rtol=5e-3,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_adam,
    points=1,
    inputs={"rate": 0.1, "betas": {"beta1": 0.7, "beta2": 0.5}},
    randomize=["rate"],
    expect={
        "steps while the gradient of one is missing": {"that one": [0.0, 0.0], "other": [0.1, 0.1]},
        "second step of the other, less that of an Adam for it alone": [0.0],
        "its step when a gradient of -1 follows": -0.04,
        "first step, where the gradient is missing at first": 0.0,
        "later step of that parameter": -0.1,
        "steps where a gradient is NaN": [NAN, 0.1],
    },
    hint="A parameter without a gradient is skipped. Does it move on, do its moments decay "
    "meanwhile, and do the other parameters still get their turn? NaN is no missing gradient.",
    rtol=1e-3,
)

checks.part(
    exercises.gradients_are_not_changed_by_adam,
    points=1,
    inputs={"gradients": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]]},
    randomize=["gradients"],
    expect={
        "gradients afterwards": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]],
        "grad after the last step": [5.0, 6.0],
        "w moves": True,
    },
    hint="Is your m, after the first step, an array of its own? Do you square a gradient in place?",
)

checks.part(
    exercises.zero_grad_of_adam_forgets_gradients_and_nothing_else,
    points=1,
    inputs={"starts": [3.0, -1.0, 2.0]},
    randomize=["starts"],
    expect={
        "grads after zero_grad()": [None, None, None],
        "a gradient that somebody kept": 1.0,
        "values after zero_grad()": [3.0, -1.0, 2.0],
        "moved by zero_grad() after a step": 0.0,
        "change of t by zero_grad()": 0,
        "second step, in lengths of the first": Between(0.0, 0.3),
    },
    hint="zero_grad() sets each grad to None, not to zeros. What else does yours touch?",
)
