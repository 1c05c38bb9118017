"""What is expected in `test-advanced-features`: AdvancedOptimizerFeatures, 25 points."""

from __future__ import annotations

from tinytorch.checks import Checks, GreaterThan, OneOf

from .exercises import features as exercises
from .exercises.features import INF, NAN, NOT_THERE

checks = Checks("test-advanced-features", points=25, names=["AdvancedOptimizerFeatures"])


checks.part(
    exercises.clips_by_the_global_norm,
    about="apply_gradient_clipping",
    points=3,
    inputs={
        "gradients": [None, [1.0, 2.0], [[2.0, 0.0], [0.0, 4.0]], 12.0],
        "max_norms": [6.5, 0.13],
    },
    randomize=["gradients", "max_norms"],
    expect={
        "norms": [13.0, 13.0],
        "gradients": [None, [0.5, 1.0], [[1.0, 0.0], [0.0, 2.0]], 6.0],
        "gradients with the small limit": [None, [0.01, 0.02], [[0.02, 0.0], [0.0, 0.04]], 0.12],
        "weights": [1.0, 1.0, 1.0, 1.0],
    },
    hint="All entries make one vector, (1, 2, 2, 4, 12). How long is it, and how long may it be?",
)

checks.part(
    exercises.clips_only_above_the_limit,
    about="apply_gradient_clipping",
    points=1,
    inputs={"short": [[0.3, 0.0], [0.0, 0.4]], "long": [[1.8, 0.0]], "limit": 0.05},
    randomize=["short", "long", "limit"],
    expect={
        "short": [[0.3, 0.0], [0.0, 0.4]],
        "norm of short": 0.5,
        "long": [[1.0, 0.0]],
        "short, with a smaller max_norm": [[0.03, 0.0], [0.0, 0.04]],
    },
    hint="A gradient may not become longer by clipping. What is max_norm if nobody says, whatever "
    "was said before?",
)

checks.part(
    exercises.clips_nothing,
    about="apply_gradient_clipping",
    points=1,
    inputs={"gradients": [None, None]},
    choices={"gradients": [[None], [None] * 3, [None] * 4, []]},
    expect={
        "norm": 0.0,
        "gradients": [None, None],
        "norm of (3, -3, 4, -4)": 7.0710678,
        "finite gradient beside an infinite one": [0.0],
    },
    hint="What is the length of a vector without entries? And of one whose entries add up to 0? "
    "What does the docstring say of an infinite norm?",
)

checks.part(
    exercises.warms_up_linearly,
    about="apply_warmup_schedule",
    points=3,
    inputs={"steps": [0, 1, 2, 3, 4, 5, 100], "warmup_steps": 4, "base_lr": 0.2},
    randomize=["base_lr"],
    expect={"returned": [0.0, 0.05, 0.1, 0.15, 0.2, 0.2, 0.2]},
    hint="At which step is the fraction step / warmup_steps 0, and at which is it 1?",
)

checks.part(
    exercises.warm_up_sets_the_rate,
    about="apply_warmup_schedule",
    points=1,
    inputs={"steps": [0, 2, 9, 4], "warmup_steps": 4, "base_lr": 0.2},
    randomize=["base_lr"],
    expect={
        "learning_rate after the last": 0.2,
        "set minus returned": [0.0] * 4,
        "gradients afterwards": [[3.0]],
    },
    hint="Who uses the rate: your caller, or the optimizer? And who uses the gradient?",
)

checks.part(
    exercises.warm_up_has_no_memory,
    about="apply_warmup_schedule",
    points=1,
    inputs={
        "asked": [2, 10, 1.0],
        "between": [[8, 10, 1.0], [0, 10, 1.0], [3, 6, 0.4]],
        "at_once": 0.3,
        "long": [1, 400, 2e-4],
    },
    randomize=["asked", "between", "at_once", "long"],
    expect={
        "returned": GreaterThan(0.1),
        "change": [0.0, 0.0, 0.0],
        "at once": 0.3,
        "where base_lr is 0": [0.0, 0.0],
        "step 1 of a warm-up of 400 steps to 0.0002": 5e-7,
    },
    hint="Does the answer for step 2 change after you have been asked for step 8? Is a rate too "
    "small for yours?",
    atol=0.0,
)

checks.part(
    exercises.says_when_to_step,
    about="accumulate_gradients",
    points=2,
    inputs={"calls": 10, "steps": 3},
    choices={"steps": [2, 4, 5]},
    expect={
        "returned": [False, False, True, False, False, True, False, False, True, False],
        "with one micro-batch": [True, True],
    },
    hint="Count the calls. What is the count after it has reached accumulation_steps?",
)

checks.part(
    exercises.leaves_the_mean,
    about="accumulate_gradients",
    points=3,
    inputs={
        "micro_batches": [
            [[4.0, 0.0], [[1.0]], 5.0, None, 1.0, [2.0, 2.0], None, 1.0],
            [None, None, None, None, None, None, None, None],
            [[0.0, 8.0], None, 3.0, 2.0, INF, [4.0, 2.0], None, NAN],
            [[8.0, 4.0], [[7.0]], 0.0, 6.0, None, [2.0, 0.0], None, 2.0],
        ]
    },
    randomize=["micro_batches"],
    expect={
        "mean": [[3.0, 3.0], [[2.0]], 2.0, 2.0, INF, [2.0, 1.0], OneOf(None, 0.0), NAN],
        "weights": [1.0] * 8,
    },
    hint="A micro-batch without a gradient for a parameter counts as well: with 0. Two parameters "
    "of one shape have a buffer each, and neither infinity nor NaN may get lost.",
)

checks.part(
    exercises.keeps_copies_and_resets,
    about="accumulate_gradients",
    points=1,
    inputs={
        "first": [[2.0, 4.0], [4.0, 8.0]],
        "second": [[20.0, 0.0], [0.0, 10.0]],
        "third": [[3.0, 0.0], [0.0, 3.0], [3.0, 6.0]],
    },
    randomize=["first", "second", "third"],
    # Whether the mean is left, or the sum, is the part before.
    expect={
        "in units of the first number": [[1.0, 2.0], [3.333333, 1.666667]],
        "three micro-batches next, in units of their first number": [1.0, 1.5],
    },
    hint="Is your buffer an array of its own, and what is in it when the next round begins? Its "
    "accumulation_steps may be another.",
)

checks.part(
    exercises.restores_missing_gradients,
    about="accumulate_gradients",
    points=1,
    inputs={"micro_batches": [[[3.0, 1.0], [1.0]], [[6.0, 5.0], [1.0]], [None, [1.0]]]},
    randomize=["micro_batches"],
    # Whether the mean is left, or the sum, is another part.
    expect={
        "gradient, in units of its first number": [1.0, 0.666667],
        "the same in a second round": [1.0, 0.666667],
        "after a round without any": OneOf(None, [0.0, 0.0]),
    },
    hint="Which parameters get a gradient at the end: those that have one now, or had one before?",
)

checks.part(
    exercises.unscales_by_any_scale,
    about="simulate_mixed_precision",
    points=2,
    inputs={"gradients": [None, [2.0, 4.0], [[8.0]], 1.0], "scales": [1.0, 4.0, 0.5, 1024.0]},
    randomize=["gradients"],
    expect={
        "returned": [True, True, True, True],
        "scale 1": [None, [2.0, 4.0], [[8.0]], 1.0],
        "scale 4": [None, [0.5, 1.0], [[2.0]], 0.25],
        "scale 0.5": [None, [4.0, 8.0], [[16.0]], 2.0],
        "scale 1024": [None, [0.001953125, 0.00390625], [[0.0078125]], 0.0009765625],
        "by default": [None, [2.0, 4.0], [[8.0]], 1.0],
        "without any gradient": True,
    },
    hint="A gradient that comes times S leaves divided by S. Is S = 0.5 any different? And what is "
    "wrong with no gradient?",
)

checks.part(
    exercises.skips_overflow,
    about="simulate_mixed_precision",
    points=2,
    inputs={"last": [INF, 5.0, -INF, NAN]},
    choices={"last": [[1.0, NAN, INF, -INF], [-INF, INF, NAN, 2.0], [NAN, INF, 3.0, -INF]]},
    expect={
        "returned": [False, True, False, False],
        "gradients left": [0, 3, 0, 0],
        "the first of them, halved": [0.5, 1.0],
        "loss_scale of the object, if it has one": OneOf(1.0, NOT_THERE),
        "weights": [[1.0] * 4] * 4,
        "returned for large entries that are finite": [True, True, True],
    },
    hint="Three kinds of numbers are not finite. Which gradients of this step are worth keeping? "
    "Each entry is asked, not their sum: 3e38 twice is finite, and its sum in float32 is not.",
)

checks.part(
    exercises.averages_equal_gradients,
    about="simulate_distributed_sync",
    points=3,
    inputs={"gradients": [[2.0, -4.0], [[8.0]], 0.5, None], "world_sizes": [1, 2, 3, 8]},
    randomize=["gradients"],
    expect={
        "gradients": [[[2.0, -4.0], [[8.0]], 0.5, None]] * 4,
        "by default": [[2.0, -4.0], [[8.0]], 0.5, None],
        "weights": [1.0] * 4,
        "learning_rate": [0.1] * 4,
    },
    hint="What is the mean of four equal numbers?",
    rtol=1e-6,  # as the docstring says
)

checks.part(
    exercises.objects_are_independent,
    about="accumulate_gradients",
    points=1,
    inputs={"steps": 3, "gradients": [2.0, 6.0]},
    randomize=["gradients"],
    choices={"steps": [2, 4, 5, 6]},
    expect={
        "settings": {"max_grad_norm": 1.0, "warmup_steps": 0, "accumulation_steps": 1},
        "settings that need not be there": {
            "clip_enabled": OneOf(False, NOT_THERE),
            "warmup_factor": OneOf(0.1, NOT_THERE),
            "base_lr": OneOf(0.001, NOT_THERE),
            "accumulation_count": OneOf(0, NOT_THERE),
            "use_fp16": OneOf(False, NOT_THERE),
            "loss_scale": OneOf(1.0, NOT_THERE),
            "dynamic_loss_scaling": OneOf(False, NOT_THERE),
            "world_size": OneOf(1, NOT_THERE),
            "rank": OneOf(0, NOT_THERE),
        },
        "first calls of another object": False,
        "mean of the other object": [6.0],
    },
    hint="Do two trainings share one buffer or one count? And compare the settings and their "
    "values with the docstring.",
)
