"""What is expected in `test-adamw`: AdamW, 20 points."""

from __future__ import annotations

from tinytorch.checks import Checks, OneOf

from .exercises import adamw as exercises
from .rules import OF_GROUPS, arguments, what_stays

checks = Checks("test-adamw", points=20, names=["AdamW"])


checks.part(
    exercises.each_step_decays_and_then_follows_adam,
    points=6,
    inputs={
        "start": [2.0, -1.0, -4.0],
        "gradients": [[3.0, -2.0, 0.5], [1.0, 4.0, 0.5], [-2.0, 3.0, 1.0]],
        "rate": 0.01,
        "weight_decay": 0.5,
    },
    randomize=["start", "gradients", "rate", "weight_decay"],
    expect={
        "steps in learning rates": [
            [-2.0, 1.5, 1.0],
            [-1.861064, 0.126396, 0.995],
            [-1.20792, -0.099128, 1.022235],
        ]
    },
    hint="The first step from 2 with decay 0.5 is 0.5 * 2 = 1 rate of decay and 1 rate of Adam. "
    "Are both moments those of the gradient alone, and both corrected?",
    rtol=1e-3,
    atol=2e-2,  # the order of decay and step is a part of its own
)

checks.part(
    exercises.weights_shrink_by_a_share_of_themselves,
    points=2,
    inputs={"start": [8.0, -2.0, 0.0], "settings": [[0.1, 0.5], [0.5, 0.5], [0.1, 0.0]]},
    randomize=["start", "settings"],
    expect={
        "weights where the gradient is 0, by setting": [
            [[7.6, -1.9, 0.0], [7.22, -1.805, 0.0]],
            [[6.0, -1.5, 0.0], [4.5, -1.125, 0.0]],
            [[8.0, -2.0, 0.0], [8.0, -2.0, 0.0]],
        ]
    },
    hint="Where the gradient is 0, m stays 0 and only the decay is left: 0.1 * 0.5 of 8 is 0.4. "
    "Does your decay go through m and v?",
)

checks.part(
    exercises.the_decay_does_not_reach_the_moments,
    points=2,
    inputs={"sizes": [100.0, 1.0, 0.01], "rate": 0.001, "weight_decay": 0.5},
    randomize=["sizes", "rate", "weight_decay"],
    expect={
        "share taken in each step": [0.5, 0.5, 0.5],
        "moves without decay": [True, True, True],
    },
    hint="Large or small, gradients have no part in the decay. What is added to g before m and v "
    "are updated?",
    rtol=2e-2,
)

checks.part(
    exercises.the_decay_comes_before_the_step,
    points=1,
    inputs={"start": [2.0, 2.0], "rate": 1.0, "weight_decay": 0.5},
    randomize=["start", "rate", "weight_decay"],
    expect={"after one step": [0.0, 2.0]},
    hint="From 2, with rate 1 and decay 0.5: 2 - 1 = 1, then the step of one rate. What do you get "
    "if the step comes first?",
    rtol=1e-3,
    atol=1e-5,
)

checks.part(
    exercises.without_decay_it_is_adam,
    points=4,
    inputs={"gradients": [[1.0, -10.0, 0.01], [2.0, 5.0, 0.01], [-1.0, 5.0, 0.05]], "rate": 0.1},
    randomize=["gradients", "rate"],
    expect={
        "steps in learning rates": [
            [-1.0, 1.0, -0.999999],
            [-0.965182, 0.266337, -0.999999],
            [-0.420089, -0.073077, -0.824971],
        ]
    },
    hint="Work out m, v and both corrected moments for t = 1, 2 and 3, as in the chapter before.",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.both_moments_are_running_averages,
    points=1,
    inputs={
        "history": [1.0, 2.0],
        "gradients": [[-1.0, -2.0], [0.5, 4.0], [1.0, 1.0], [0.0, 0.0]],
        "betas": {"beta1": 0.8, "beta2": 0.5},
    },
    randomize=["history", "gradients"],
    expect={
        "steps in learning rates": [
            [-0.6, -0.6],
            [-0.733648, -0.556561],
            [-0.736642, -0.685654],
            [-0.833415, -0.775728],
        ]
    },
    hint="After many gradients of 1, m and v are 1. After a gradient of -1, is m 0.8 * 1 + 0.2 * "
    "(-1)? And a gradient of zeros is a gradient.",
    rtol=1e-3,
    atol=1e-4,
)

checks.part(
    exercises.epsilon_of_adamw_is_added_last,
    points=1,
    inputs={"gradient": [1.0, 3.0], "epsilon": 1.0},
    randomize=["gradient", "epsilon"],
    expect={"first step": [-0.05, -0.075]},
    hint="For g = 1 the corrected v is 1, so with epsilon = 1 the first step is 1 / (1 + 1) rates.",
)

checks.part(
    exercises.groups_of_adamw_have_options_of_their_own,
    points=1,
    inputs={
        "start": [1.0, -2.0],
        "gradient": [1.0, -3.0],
        "options": [
            {"learning_rate": 0.1, "beta1": 0.5, "weight_decay": 0.3},
            {"learning_rate": 0.02, "beta2": 0.5, "epsilon": 0.5},
        ],
    },
    randomize=["start", "gradient", "options"],
    expect={
        **OF_GROUPS,
        "w where learning_rate is 0 from the first step": [[1.0, -2.0], [1.0, -2.0]],
        # First 0.5 * (1.25 / 0.75) / sqrt(10.25 / 0.75): the moments are of the step at rate 0 too.
        # Then a quarter of that decays, and Adam adds 0.5 * 4 / (4 + 1).
        "steps after options that were set later": [[[0.225418]], [[0.343646]]],
    },
    hint="From where does your step read its five options, and when? And does t count calls, or "
    "parameters?",
    atol=1e-5,
)

checks.part(
    exercises.a_missing_gradient_skips_the_parameter_in_adamw,
    points=1,
    inputs={"start": [0.5, -0.2], "rate": 0.01, "weight_decay": 0.5, "tiny": 1e-7},
    randomize=["start", "rate", "weight_decay", "tiny"],
    expect={
        # Epsilon is a tenth of it.
        "steps where the gradient is tiny": [[-0.909091], [-0.909091]],
        "is NaN after a gradient of NaN and 1": [True, False],
        "moved while the gradient was missing": [[0.0], [0.0]],
        "the other moved": [True, True],
        # m and v were 1, and are now (1 + 3) / 2 and (1 + 9) / 2.
        "its step afterwards, in rates": [-0.894427],
        "w while its first gradients are missing": [0.5, -0.2],
        "grad that was missing": None,
        # After two gradients in four calls: the exponent is 2, or it is t.
        "its second step, in rates": OneOf([-1.0, -1.0], [-0.743303, -0.743303]),
    },
    hint="A parameter without a gradient is skipped. Is it decayed, and do its moments decay? "
    "Where the first gradients are missing, it starts later. A tiny gradient, or one of NaN, is "
    "none that is missing: are your moments kept with all digits?",
    rtol=2e-2,
)

checks.part(
    exercises.what_adamw_is_given_stays,
    points=1,
    inputs={
        "rows": [[1.0, [2.0, -3.0], [[0.5], [4.0]]], [0.5, [1.0, 1.0], [[2.0], [-1.0]]]],
        "values": [0.3, 0.5, 0.6, 0.001, 0.2],
    },
    randomize=["rows", "values"],
    expect={
        "t after 0, 1, 2, 3 calls": [0, 1, 2, 3],
        **arguments([0.001, 0.9, 0.999, 1e-8, 0.01], [0.3, 0.5, 0.6, 0.001, 0.2]),
        **what_stays([[], [2], [2, 1]], states=2),
    },
    hint="Compare names and defaults with the docstring. t counts calls of step(), not parameters "
    "or gradients. Is your m, after the first step, an array of its own?",
    atol=0.0,
    rtol=1e-6,
)
