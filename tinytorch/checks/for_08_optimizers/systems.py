"""What is expected in `test-ml-systems-integration`: everything together, 35 points."""

from __future__ import annotations

from tinytorch.checks import AnyValue, Checks, GreaterThan

from .exercises import systems as exercises

checks = Checks(
    "test-ml-systems-integration",
    points=35,
    names=["SGD", "Adam", "StepLR", "OptimizerConvergenceProfiler", "AdvancedOptimizerFeatures"],
)
#: The parts that compare them have one comparison between them.
IN_A_BOWL = {
    "names": ["SGD", "momentum", "Adam"],
    "rates": [0.02, 0.03, 0.085],
    "momentum": 0.7,
    "steps": 60,
    "seconds": [0.0, 0.03, 0.01],
}
#: Here the run called momentum leads everything, even without any momentum: for the advice.
BESIDE_SLOW_SGD = {
    "names": ["SGD", "momentum", "Adam"],
    "rates": [0.001, 0.055, 0.05],
    "momentum": 0.6,
    "steps": 40,
    "seconds": [0.01, 0.0, 0.01],
}
#: In grading, the runs have other names: results must name the runs that were given.
OTHER_RUNS = [["ash", "birch", "cedar"], ["zinc", "iron", "gold"], ["moon", "comet", "sun"]]

checks.part(
    exercises.profiles_a_real_training,
    points=3,
    inputs={"rate": 0.25, "steps": 4},
    randomize=["rate"],
    expect={
        "losses": [9.0, 2.25, 0.5625, 0.140625],
        "gradient norms": [6.0, 3.0, 1.5, 0.75],
        "w": 2.8125,
        "loss_reduction": 8.859375,
    },
    hint="Each step halves the distance to 3. Does the profiler look while the gradient is there?",
)

checks.part(
    exercises.a_schedule_shows_in_the_record,
    points=3,
    inputs={"rate": 0.5, "step_size": 2, "gamma": 0.1, "steps": 5},
    randomize=["rate", "gamma"],
    choices={"step_size": [1, 3]},
    expect={
        "learning rates after each step": [0.5, 0.5, 0.05, 0.05, 0.005],
        "rate at the end": 0.005,
    },
    hint="The schedule changes the rate during the run. How often does the profiler read it?",
)

checks.part(
    exercises.three_optimizers_ranked,
    points=2,
    inputs=IN_A_BOWL,
    choices={"names": OTHER_RUNS},
    expect={
        "first to converge": "momentum",
        "final_performance": ["momentum", "Adam", "SGD"],
        "stability": ["momentum", "Adam", "SGD"],
    },
    hint="Momentum ends at the bottom, Adam near it, SGD on the slope. What do your rankings say?",
)

checks.part(
    exercises.momentum_leads_the_comparison,
    points=2,
    inputs=IN_A_BOWL,
    choices={"names": OTHER_RUNS},
    expect={"best overall": "momentum"},
    hint="Momentum leads three of the four rankings here; it is also slow. Does that decide?",
)

checks.part(
    exercises.rates_swept_on_a_parabola,
    points=3,
    inputs={"rates": [0.01, 0.1, 0.4, 2.0], "steps": 20},
    randomize=["rates"],
    expect={
        "final_losses": [4.177035, 0.001868, 0.0, AnyValue()],
        "gradient_explosions": [False, False, False, True],
        "optimal_range": [0.04, 4.0],
    },
    hint="The error is multiplied by 1 - 2 * rate per step: 0.98, 0.8, 0.2, -3. Which is best?",
    rtol=0.01,
)

checks.part(
    exercises.memory_compared,
    points=3,
    inputs={"num_parameters": 2410},
    choices={"num_parameters": [1205, 9640, 24_100, 101_770]},
    expect={
        "totals, in totals of SGD with 1000": [2.41, 3.615, 4.82],
        "states, in totals of SGD with 1000": [0.0, 1.205, 2.41],
        "parts against the total": [1.0, 1.0, 1.0],
    },
    hint="8, 12 and 16 bytes per parameter: what are the ratios, and how do they grow?",
)

checks.part(
    exercises.advice_from_real_analyses,
    points=3,
    inputs=BESIDE_SLOW_SGD,
    choices={"names": OTHER_RUNS},
    expect={
        "headings": [True, True, True],
        "summary lines": GreaterThan(3),
        "summary lines in the advice": [True, True, True, True],
        "best, fastest and steadiest in the advice": ["momentum", "momentum", "momentum"],
    },
    hint="The advice repeats what the analyses found: compare it with the summary, line by line.",
)

checks.part(
    exercises.warm_up_shortens_the_first_steps,
    points=4,
    inputs={"steps": 6, "warmup_steps": 4, "base_lr": 0.4},
    randomize=["base_lr"],
    expect={
        "SGD": [0.0, -0.1, -0.3, -0.6, -1.0, -1.4],
        "Adam at step 0": 0.0,
        "Adam moves afterwards": [True] * 5,
    },
    hint="With a gradient of 1 a step of SGD is as long as the rate. Which rate does step() use?",
)

checks.part(
    exercises.micro_batches_make_one_batch,
    points=3,
    inputs={
        "xs": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "ys": [3.0, 5.0, 7.0, 9.0, 11.0, 13.0],
        "cuts": [2, 3, 6],
        "rate": 0.02,
        "steps": 2,
    },
    randomize=["xs", "ys", "rate"],
    expect={"w and b": [[1.8408444, 0.4377333]] * 3, "optimizer steps": [2, 2, 2]},
    hint="One step with the mean of the micro-batches equals one step with the whole batch.",
)

checks.part(
    exercises.loss_scale_cancels,
    points=3,
    inputs={"scales": [1.0, 1024.0, 65536.0], "rate": 0.25, "steps": 3},
    randomize=["scales", "rate"],
    expect={"w": [[1.5, 2.25, 2.625]] * 3},
    hint="Scaling and unscaling cancel. Where are the gradients divided, and by what?",
)

checks.part(
    exercises.overflow_leaves_no_trace,
    points=3,
    inputs={"gradients": [1.0, 2.0], "bad": [float("inf"), float("nan")]},
    choices={"gradients": [[1.5, 0.5, 2.0], [0.5, 1.0, 1.5, 3.0], [2.0, 1.0, 0.5, 0.7, 1.2]]},
    expect={
        "momentum, moved by skipped steps": 0.0,
        "momentum, distance from a clean run": 0.0,
        "Adam, moved by skipped steps": 0.0,
        "Adam, distance from a clean run": 0.0,
        "Adam's t": 2,
        "good steps that move w down": [2, 2],
    },
    hint="After False there is no step. What would a single inf do to a running average?",
)

checks.part(
    exercises.the_whole_recipe,
    points=3,
    inputs={
        "xs": [1.0, 2.0, 3.0, 4.0],
        "ys": [3.0, 5.0, 7.0, 9.0],
        "loss_scale": 256.0,
        "max_norm": 1.0,
        "warmup_steps": 2,
        "base_lr": 0.1,
        "steps": 4,
    },
    randomize=["xs", "ys", "loss_scale", "max_norm", "base_lr"],
    expect={
        "w and b": [
            [0.0, 0.0],
            [0.047297297, 0.016216216],
            [0.14189009, 0.048653903],
            [0.23647902, 0.081102856],
        ],
        "norms": [37.0, 37.0, 36.164974, 34.494924],
    },
    hint="Accumulate, average, unscale, clip, set the rate, step: is one of them left out?",
)
