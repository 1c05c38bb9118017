"""What is expected in `test-convergence-profiler`: OptimizerConvergenceProfiler, 30 points."""

from __future__ import annotations

from tinytorch.checks import AnyValue, Between, GreaterThan

from .exercises import profiler as exercises
from .profiler_runs import checks

INF, NAN = float("inf"), float("nan")
#: In grading, runs have other names: results must name the runs that were given.
OTHER_NAMES = [
    ["ash", "birch", "cedar", "elm"],
    ["zinc", "iron", "gold", "tin"],
    ["moon", "comet", "sun", "star"],
    ["oboe", "cello", "bass", "harp"],
]
EACH_LEADS_SOMETHING = [
    [3.0, 2.99, 2.98, 2.97, 2.96, 2.95, 2.95, 2.94, 2.93, 2.92, 2.91, 2.9],
    [9e12, 1e3, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.05],
    [1e6, 1.0, 1.0, 1.2, 0.8, 1.2, 0.8, 1.2, 0.8, 1.2, 0.8, 1.0],
]
WINNER_TAKES_ALL = {
    "names": ["second", "first", "third"],
    "runs": [[2.0, 1.9] + [3.0, 2.2] * 5, [0.1] * 12, [3.0, 2.9] + [7.0, 3.5] * 5],
}
LEADS_BUT_NEVER_CONVERGES = [
    [3.0, 2.0, 2.0] + [3.0, 1.5] * 4 + [1.0],
    [9e12, 0.5, 0.499, 0.498, 0.497, 0.496, 0.495, 0.494, 0.493, 0.492, 0.491, 0.49],
    [2.2, 2.1, 2.0, 2.0] + [3.0, 1.2] * 4,
]


checks.part(
    exercises.rankings_are_best_first,
    about="compare_optimizers",
    points=2,
    inputs={"names": ["calm", "deep", "early"], "runs": EACH_LEADS_SOMETHING},
    choices={"names": OTHER_NAMES},
    expect={
        "convergence_speed": ["early", "calm", "deep"],
        "final_performance": ["deep", "early", "calm"],
        "stability": ["calm", "early", "deep"],
        "efficiency": ["deep", "early", "calm"],
        "keys": [True] * 6,
        "values of the third": {
            "convergence_speed": 2,
            "final_performance": 1.0,
            "stability": Between(0.0, 1.0),
            "efficiency": GreaterThan(1.0),
        },
        "stability, first above third": GreaterThan(0.0),
    },
    hint="In which of the four is a high value good? And does each table hold its own values?",
)

checks.part(
    exercises.efficiency_is_per_second,
    about="compare_optimizers",
    points=1,
    inputs={
        "losses": {
            "slow": [100.0, 50.0, 20.0, 5.0],
            "quick": [100.0, 60.0, 30.0, 15.0],
            "worse": [10.0, 12.0, 15.0, 40.0],
        },
        "seconds": {"slow": 0.004, "quick": 0.001, "worse": 0.001},
    },
    randomize=["losses"],
    expect={
        "efficiency times the seconds of all steps": {"slow": 95.0, "quick": 85.0, "worse": -30.0},
        "the ranking is that of the values": True,
        # A number as small as a microsecond may stand beside the seconds.
        "the same of three very short runs, by their reductions": Between(0.1, 1.5),
    },
    hint="The slow run gains 95 and takes 16 ms for it. What is that per second? And what "
    "is it for a run of a few microseconds?",
)

checks.part(
    exercises.nothing_ranks_before_something,
    about="compare_optimizers",
    points=2,
    inputs={
        "names": ["never", "late", "lost", "found"],
        "runs": [
            [5.0, 4.0, 3.0, 2.0, 1.0, 0.5],
            [9.0, 8.0, 7.0, 6.0, 6.0],
            [3.0, 2.0] + [NAN] * 10,
            [9.5, 9.2] + [9.0] * 10,
        ],
        "later": 110,
    },
    choices={"names": OTHER_NAMES},
    expect={
        "convergence_speed": ["late", "never"],
        "final_performance": ["found", "lost"],
        "efficiency": ["found", "lost"],
    },
    hint="What is None < 3, and what is NaN < 3? Decide where these belong before you sort.",
)

checks.part(
    exercises.comparison_never_crashes,
    about="compare_optimizers",
    points=1,
    inputs={"names": ["dead", "alive"], "losses": [2.0] + [1.0] * 11},
    choices={"names": OTHER_NAMES},
    expect={
        "best final loss": "alive",
        "without any run": [True, True, True],
        "ranked, where one of two is given": ["alive"],
        "ranked in the comparison before": ["alive", "dead"],
        "final losses in it": ["alive", "dead"],
        "names a run where none converged": [True, True, True, True],
    },
    hint="What does each of your tables hold for a run whose lists are empty? Which runs are to be "
    "compared: those given, or all on record? Does a second comparison begin afresh?",
)

checks.part(
    exercises.best_overall_leads,
    about="compare_optimizers",
    points=1,
    inputs={
        **WINNER_TAKES_ALL,
        "highest_loss": [
            [3.0, 2.9] + [2.0, 1.0] * 5,
            [9e12] + [5.0] * 11,
            [4.0, 3.9] + [3.0, 2.2] * 5,
        ],
        "not_converged": LEADS_BUT_NEVER_CONVERGES,
    },
    choices={"names": OTHER_NAMES},
    expect={"best overall": ["first"] * 4},
    hint="If good places earn points, do you want the most or the fewest? And who wins that leads "
    "three of the rankings?",
)

checks.part(
    exercises.summary_names_winners,
    about="compare_optimizers",
    points=1,
    inputs={
        "names": ["calm", "deep", "early"],
        "runs": EACH_LEADS_SOMETHING,
        "leader": WINNER_TAKES_ALL["runs"],
        "slow_leader": LEADS_BUT_NEVER_CONVERGES,
    },
    choices={"names": OTHER_NAMES},
    expect={
        "fastest": ["early", "deep", "calm"],
        "most stable": ["calm", "deep", "deep"],
        "most efficient": ["deep", "deep", "deep"],
    },
    hint="Each of these lines names the first of one ranking. Is the wording exact?",
)

checks.part(
    exercises.one_entry_per_rate,
    about="analyze_learning_rate_sensitivity",
    points=1,
    inputs={
        "rates": [0.3, 0.1, 0.4, 0.2],
        "losses": [
            [4.0, 2.0, 1.0, 1.0, 1.0],
            [9.0, 8.0, 7.0, 8.0, 7.0, 6.0, 5.5, 5.0],
            [3.0] * 12,
            [3.0, 9.0] * 6,
        ],
        "norms": [[1.0] * 5, [1.1e6] + [1.0] * 7, [1.0, 9.0] * 6, [9e5] * 12],
    },
    randomize=["rates", "norms"],
    expect={
        "learning_rates": [0.3, 0.1, 0.4, 0.2],
        "final_losses": [1.0, 5.0, 3.0, 9.0],
        "convergence_steps": [3, AnyValue(), 1, AnyValue()],
        "stability_scores": [0.0, 0.0, AnyValue(), AnyValue()],
        "gradient_explosions": [False, True, False, False],
        "recommendations": AnyValue(),
        "steps asked for": [12, 12, 12, 12],
        "stability, third above fourth": GreaterThan(0.0),
        "steps by default": 50,
        "final_losses where the first rate is given again": [1.0, 5.0, 1.0],
    },
    hint="The third entry of each list must belong to the third rate: to its losses, or its norms?",
)

checks.part(
    exercises.failed_rates_count,
    about="analyze_learning_rate_sensitivity",
    points=1,
    inputs={
        "rates": [0.001, 0.01, 0.1, 1.0, 10.0],
        "losses": ["diverged", [2.0, 0.5], "diverged", None, []],
        "norms": [None, [1.0, 1.0], None, None, []],
    },
    randomize=["rates", "losses", "norms"],
    expect={
        "final_losses": [INF, 0.5, INF, INF, INF],
        "gradient_explosions": [True, False, True, True, True],
        "convergence_steps": [AnyValue()] * 5,
        "stability_scores": [0.0, AnyValue(), 0.0, 0.0, 0.0],
    },
    hint="A failed run is a result as well: what goes into each list for it, and nothing of the "
    "run before?",
)

checks.part(
    exercises.best_rate_is_sound,
    about="analyze_learning_rate_sensitivity",
    points=2,
    inputs={
        "rates": [0.1, 0.001, 0.01, 0.2, 1.0, 10.0, 5.0, 0.4],
        "losses": [
            *([2.0, 1.0, -0.9], [2.0, 0.9, 0.9], [9.0, 4.0, -0.3], [2.0, -0.8, 0.5]),
            *([2.0, 1.0, loss] for loss in (NAN, INF, -INF, -0.7)),
        ],
        "norms": [[1.0, 1.0, norm] for norm in (2e6, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, INF)],
        "small": [2e-6, 3e-6],
    },
    randomize=["rates", "losses", "norms", "small"],
    expect={
        "optimal_range of two small rates, in rates": [0.1, 10.0],
        "optimal_range": [0.001, 0.1],
        "gradient_explosions": [True, False, False, False, False, False, False, True],
        "final_losses of the fifth to seventh": [NAN, INF, -INF],
        "where all explode": None,
    },
    hint="0.1 ends lowest, but look at its gradients. Which rates can be trusted at all, and to "
    "which of the rates given does the lowest of their final losses belong?",
)

checks.part(
    exercises.memory_of_three_optimizers,
    about="estimate_memory_usage",
    points=1,
    inputs={"num_parameters": 2**20},
    choices={"num_parameters": [3 * 2**19, 2**22, 5 * 2**18, 7_000_000]},
    expect={
        "SGD": {
            "parameters_mb": 4.0,
            "gradients_mb": 4.0,
            "optimizer_state_mb": 0.0,
            "total_mb": 8.0,
            "memory_efficiency": 0.5,
            "overhead_ratio": 0.0,
        },
        "momentum": {"optimizer_state_mb": 4.0, "total_mb": 12.0, "memory_efficiency": 1 / 3},
        "momentum, little": {"optimizer_state_mb": 4.0, "total_mb": 12.0},
        "Adam": {"optimizer_state_mb": 8.0, "total_mb": 16.0, "overhead_ratio": 2.0},
        "Adam, 2,410 parameters": {"parameters_mb": 0.00919342, "total_mb": 0.03677368},
    },
    hint="A float32 has 4 bytes, and 2**20 bytes are one MB here. How many numbers are kept? And "
    "what is left of a small number once it is rounded?",
)

checks.part(
    exercises.recommendations_use_the_analyses,
    about="generate_production_recommendations",
    points=1,
    inputs={"best": 0.00236, "winners": ["momentum", "Adam", "SGD", "Adam"]},
    choices={
        "best": [0.0178, 0.313, 0.00544, 0.00826],
        "winners": [["Adam", "SGD", "Adam", "SGD"], ["SGD", "SGD", "momentum", "momentum"]],
    },
    expect={
        "headings": [True, True, True],
        "range": [0.000236, 0.0236],
        "winners": ["momentum", "Adam", "SGD", "Adam"],
        "headings without an analysis": [True, True],
        "of a sweep alone: heading": [True],
        "of a sweep alone: range": [0.000236, 0.0236],
        "of a comparison alone: winners": ["momentum", "Adam", "SGD", "Adam"],
        "headings of a sweep without range": [True, True],
        "headings of a memory analysis alone": [True, True],
    },
    hint="Which headings does the docstring ask for, and do the given range (to within 1 %) "
    "and summary appear?",
    rtol=0.01,
)

checks.part(
    exercises.initial_loss_is_the_given_one,
    about="profile_optimizer_convergence",
    points=0,
    inputs={"losses": [4.0, 3.0, 2.5, 2.0], "initial_loss": 10.0},
    expect={"initial_loss": 10.0, "loss_reduction": 8.0, "convergence_rate": 2.0},
    hint="The caller measured 10 before the first step. Where does your reduction start from?",
)

checks.part(
    exercises.nan_norm_is_an_explosion,
    about="analyze_learning_rate_sensitivity",
    points=0,
    inputs={
        "rates": [0.1, 0.2],
        "losses": [[2.0, 0.1], [2.0, 0.5]],
        "norms": [[1.0, NAN], [1.0, 1.0]],
    },
    expect={"gradient_explosions": [True, False], "optimal_range": [0.02, 2.0]},
    hint="The max() of a list with NaN depends on the order. How do you test that all is sound?",
)

checks.part(
    exercises.no_parameters_need_no_memory,
    about="estimate_memory_usage",
    points=0,
    inputs={"num_parameters": 0},
    expect={"SGD": 0.0, "Adam": 0.0},
    hint="0/0 is not needed: the two ratios are the same for every number of parameters.",
)

checks.part(
    exercises.recommendations_are_complete,
    about="generate_production_recommendations",
    points=0,
    inputs={"best": 0.04, "winners": ["momentum", "Adam", "SGD", "Adam"]},
    expect={"headings": [True, True, True]},
    hint="Three more headings complete the list in 6.6.",
)
