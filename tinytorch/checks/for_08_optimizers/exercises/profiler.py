"""Exercises of `test-convergence-profiler`: what is made of several runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from tinytorch.checks.student import Student, Values
from tinytorch.core.autograd import Variable

from .profiler_runs import ERRORS, play_script, watched_kind

HEADINGS_OF_WINNERS = [
    "Best overall optimizer:",
    "Fastest convergence:",
    "Most stable training:",
    "Most compute-efficient:",
]


def compare_scripts(student: Student, runs: Mapping[str, Sequence[Any]]) -> Any:
    """Profile scripted runs by name with one profiler, and compare them."""
    profiler = student.OptimizerConvergenceProfiler()
    profiles = {
        name: play_script(student, profiler, name, losses)[0] for name, losses in runs.items()
    }
    return profiler.compare_optimizers(profiles)


def winner_after(comparison: Mapping[str, Any], heading: str) -> str | None:
    """Return the name after a heading in the summary, or None."""
    for line in comparison["recommendations"]["summary"]:
        _, found, rest = line.partition(heading)
        if found:
            return (rest.split() or [""])[0].rstrip(".,;:")
    return None


def as_list(value: Any) -> Any:
    """Return arrays as lists, and other values as they are."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def sweep_scripts(
    student: Student,
    rates: Sequence[float],
    losses: Sequence[Any],
    norms: Sequence[Any],
    steps: int = 12,
) -> Values:
    """Analyze rates whose runs are given: two lists, None for nothing, or text to raise."""
    asked = []

    def training_function(lr, steps):
        asked.append(steps)
        run = rates.index(lr)
        if isinstance(losses[run], str):
            raise ERRORS[run % len(ERRORS)](losses[run])
        return None if losses[run] is None else (losses[run], norms[run])

    result = student.OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        watched_kind(student), list(rates), training_function, steps=steps
    )
    keys = ["learning_rates", "final_losses", "convergence_steps", "stability_scores"]
    keys += ["gradient_explosions", "optimal_range", "recommendations"]
    return {**{key: as_list(result[key]) for key in keys}, "steps asked for": asked}


def numbers_of(lines: Sequence[str]) -> list[float]:
    """Return all numbers that occur in lines of text."""
    return [float(n) for n in re.findall(r"\d+\.?\d*(?:[eE][+-]?\d+)?", " ".join(lines))]


def rankings_are_best_first(student: Student, names: list[str], runs: list[list[float]]) -> Values:
    """Four rankings, best first: low step and loss, high stability and efficiency."""
    result = compare_scripts(student, dict(zip(names, runs, strict=False)))
    keys = "convergence_speed final_performance stability efficiency rankings recommendations"
    rankings = {metric: list(result["rankings"][metric]) for metric in keys.split()[:4]}
    stability = result["stability"]
    return {
        **rankings,
        "keys": [key in result for key in keys.split()],
        "values of the third": {metric: result[metric][names[2]] for metric in rankings},
        "stability, first above third": stability[names[0]] - stability[names[2]],
    }


def efficiency_is_per_second(
    student: Student, losses: dict[str, list[float]], seconds: dict[str, float]
) -> Values:
    """Efficiency is the loss reduction per second."""
    profiler, profiles = student.OptimizerConvergenceProfiler(), {}
    for name in losses:
        profiles[name], _ = play_script(
            student, profiler, name, losses[name], seconds=seconds[name]
        )
    result = profiler.compare_optimizers(deepcopy(profiles))
    values, gains = result["efficiency"], {}
    for name, profile in profiles.items():
        gains[name] = values[name] * profile["average_step_time"] * profile["total_steps"]
    order = sorted(values, key=lambda name: -values[name])
    short = []
    for name in ("one", "two", "three"):
        profile, _ = play_script(student, profiler, name, [5.0, 1.0])
        taken = profile["average_step_time"] * profile["total_steps"]
        value = profiler.compare_optimizers({name: dict(profile)})["efficiency"][name]
        short.append(value * taken / 4.0 if taken else 1.0)  # a clock may be too coarse to see it
    return {
        "the same of three very short runs, by their reductions": short,
        "efficiency times the seconds of all steps": gains,
        "the ranking is that of the values": list(result["rankings"]["efficiency"]) == order,
    }


def nothing_ranks_before_something(
    student: Student, names: list[str], runs: list[list[float]], later: int
) -> Values:
    """Unconverged runs rank behind those that converged, and NaN behind numbers."""
    before = [10.0 * (later - step) for step in range(later)]
    named = [*zip(names, [runs[0], before + runs[1], *runs[2:]], strict=False)]
    steps = compare_scripts(student, dict(named[:2]))["rankings"]
    numbers = compare_scripts(student, dict(named[2:]))["rankings"]
    return {
        "convergence_speed": list(steps["convergence_speed"]),
        "final_performance": list(numbers["final_performance"]),
        "efficiency": list(numbers["efficiency"]),
    }


def comparison_never_crashes(student: Student, names: list[str], losses: list[float]) -> Values:
    """Empty runs, or no run at all, can be compared; only runs that are given."""
    result, nothing = (
        compare_scripts(student, {names[0]: ["no step today"], names[1]: losses}),
        compare_scripts(student, {}),
    )
    profiler = student.OptimizerConvergenceProfiler()
    profiles = {name: play_script(student, profiler, name, losses)[0] for name in names[:2]}
    both = profiler.compare_optimizers(dict(profiles))
    one = profiler.compare_optimizers({names[1]: profiles[names[1]]})
    falling = {name: [90.0 - step for step in range(12)] for name in names[:2]}
    none = compare_scripts(student, falling)
    return {
        "ranked, where one of two is given": list(one["rankings"]["final_performance"]),
        "ranked in the comparison before": sorted(both["rankings"]["final_performance"]),
        "final losses in it": sorted(both["final_performance"]),
        "names a run where none converged": [
            winner_after(none, heading) in names for heading in HEADINGS_OF_WINNERS
        ],
        "best final loss": result["rankings"]["final_performance"][0],
        "without any run": [
            "rankings" in nothing,
            "recommendations" in nothing,
            isinstance(nothing["recommendations"]["summary"], list),
        ],
    }


def best_overall_leads(
    student: Student,
    names: list[str],
    runs: list[list[float]],
    highest_loss: list[list[float]],
    not_converged: list[list[float]],
) -> Values:
    """Best overall, in the summary: who leads all four rankings or, of three runs, three."""
    five = zip([*names[:3], "another", "and another"], [*runs, *runs[::2]], strict=True)
    each = [zip(names, r, strict=False) for r in (runs, highest_loss, not_converged)]
    results = [compare_scripts(student, dict(named)) for named in (*each, five)]
    return {"best overall": [winner_after(result, "Best overall optimizer:") for result in results]}


def summary_names_winners(
    student: Student,
    names: list[str],
    runs: list[list[float]],
    leader: list[list[float]],
    slow_leader: list[list[float]],
) -> Values:
    """Summary lines name the fastest, most stable and most compute-efficient run."""
    each = (runs, leader, slow_leader)
    results = [compare_scripts(student, dict(zip(names, three, strict=False))) for three in each]
    headings = {
        "fastest": "Fastest convergence:",
        "most stable": "Most stable training:",
        "most efficient": "Most compute-efficient:",
    }
    return {
        label: [winner_after(result, heading) for result in results]
        for label, heading in headings.items()
    }


def one_entry_per_rate(
    student: Student, rates: list[float], losses: list[list[float]], norms: list[list[float]]
) -> Values:
    """Every list of a sweep holds one entry per rate, in the order given; steps is 50."""
    result, asked = sweep_scripts(student, rates, losses, norms), []
    twice = sweep_scripts(student, [*rates[:2], rates[0]], losses[:2], norms[:2])
    student.OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        watched_kind(student), [0.1], lambda lr, steps: asked.append(steps)
    )
    scores = result["stability_scores"]
    difference = float(scores[2] - scores[3])
    return {
        **result,
        "stability, third above fourth": difference,
        "steps by default": asked[0],
        "final_losses where the first rate is given again": twice["final_losses"],
    }


def failed_rates_count(
    student: Student, rates: list[float], losses: list[Any], norms: list[Any]
) -> Values:
    """Failed rates, that raise or return nothing, count as loss inf and as explosions."""
    return sweep_scripts(student, rates, losses, norms)


def best_rate_is_sound(
    student: Student,
    rates: list[float],
    losses: list[list[float]],
    norms: list[list[float]],
    small: list[float],
) -> Values:
    """optimal_range is best / 10 to best * 10, the best being finite and without explosion."""
    result = sweep_scripts(student, rates, losses, norms)
    low = sweep_scripts(student, small, [[2.0, 0.5], [2.0, 1.0]], [[1.0, 1.0]] * 2)["optimal_range"]
    return {
        "optimal_range of two small rates, in rates": [end / small[0] for end in low],
        "optimal_range": result["optimal_range"],
        "gradient_explosions": result["gradient_explosions"],
        "final_losses of the fifth to seventh": result["final_losses"][4:7],
        "where all explode": sweep_scripts(student, rates[4:], losses[4:], norms[4:])[
            "optimal_range"
        ],
    }


def memory_of_three_optimizers(student: Student, num_parameters: int) -> Values:
    """Model state in MB of 2**20 bytes: 8, 12 and 16 bytes per parameter."""
    w = Variable([0.0])
    estimate = student.OptimizerConvergenceProfiler().estimate_memory_usage
    optimizers = {
        "SGD": student.SGD([w], learning_rate=0.1),
        "momentum": student.SGD([], learning_rate=0.1, momentum=0.9),
        "momentum, little": student.SGD([w], learning_rate=0.1, momentum=0.1),
        "Adam": student.Adam([w], learning_rate=0.1),
    }
    estimates = {name: estimate(kind, num_parameters) for name, kind in optimizers.items()}
    return {**estimates, "Adam, 2,410 parameters": estimate(optimizers["Adam"], 2410)}


def analyses_that_found(best: float, winners: Sequence[str]) -> Values:
    """Return a sweep, a comparison and a memory analysis with all their entries."""
    winning = zip(HEADINGS_OF_WINNERS, winners, strict=True)
    tables = ["convergence_speed", "final_performance", "stability", "efficiency"]
    names = ["SGD", "momentum", "Adam"]
    memory = {"parameters_mb": 4.0, "gradients_mb": 4.0, "optimizer_state_mb": 8.0}
    ratios = {"total_mb": 16.0, "memory_efficiency": 0.25, "overhead_ratio": 2.0}
    return {
        "learning_rate_analysis": {
            "learning_rates": [best, 10 * best],
            "final_losses": [0.5, 0.9],
            "convergence_steps": [50, 50],
            "stability_scores": [0.9, 0.8],
            "gradient_explosions": [False, False],
            "optimal_range": (best / 10, 10 * best),
            "recommendations": [],
        },
        "convergence_comparison": {
            **{table: dict.fromkeys(names, 0.5) for table in tables},
            "rankings": {table: names for table in tables},
            "recommendations": {"summary": [f"{h} {winner}" for h, winner in winning]},
        },
        "memory_analysis": {"Adam": {**memory, **ratios}},
    }


def recommendations_use_the_analyses(student: Student, best: float, winners: list[str]) -> Values:
    """Recommendations: the headings, the range and the summary that were given."""
    advise = student.OptimizerConvergenceProfiler().generate_production_recommendations
    given = analyses_that_found(best, winners)
    sweep, comparison = given["learning_rate_analysis"], given["convergence_comparison"]
    always = ["OPTIMIZER SELECTION GUIDE:", "PRODUCTION DEPLOYMENT:"]
    rates = "LEARNING RATE GUIDANCE:"

    def shows(analyses, *texts):
        text = "\n".join(advise(deepcopy(analyses)))
        return [wanted in text for wanted in texts]

    def range_shown(analyses):
        found = numbers_of(advise(deepcopy(analyses)))
        ends = sweep["optimal_range"]
        return [min(found, key=lambda n: abs(n - end), default=None) for end in ends]

    def winners_shown(analyses):
        lines = zip(winners, comparison["recommendations"]["summary"], strict=True)
        return [winner for winner, line in lines if shows(analyses, line)[0]]

    alone = {"learning_rate_analysis": sweep}
    return {
        "headings": shows(given, *always, rates),
        "range": range_shown(given),
        "winners": winners_shown(given),
        "headings without an analysis": shows({}, *always),
        "of a sweep alone: heading": shows(alone, rates),
        "of a sweep alone: range": range_shown(alone),
        "of a comparison alone: winners": winners_shown({"convergence_comparison": comparison}),
        "headings of a sweep without range": shows(
            {"learning_rate_analysis": {**sweep, "optimal_range": None}}, *always
        ),
        "headings of a memory analysis alone": shows(
            {"memory_analysis": given["memory_analysis"]}, *always
        ),
    }


def initial_loss_is_the_given_one(
    student: Student, losses: list[float], initial_loss: float
) -> Values:
    """Advice: the reduction counts from initial_loss as given, its rate is per step."""
    profiler = student.OptimizerConvergenceProfiler()
    profile, _ = play_script(student, profiler, "run", losses, initial_loss=initial_loss)
    return {key: profile[key] for key in ("initial_loss", "loss_reduction", "convergence_rate")}


def nan_norm_is_an_explosion(
    student: Student, rates: list[float], losses: list[list[float]], norms: list[list[float]]
) -> Values:
    """Advice: in a sweep, a NaN gradient norm counts as an explosion too."""
    return sweep_scripts(student, rates, losses, norms)


def no_parameters_need_no_memory(student: Student, num_parameters: int) -> Values:
    """Advice: the memory of 0 parameters is 0, not a crash."""
    estimate = student.OptimizerConvergenceProfiler().estimate_memory_usage
    w = Variable([0.0])
    return {
        "SGD": estimate(student.SGD([w]), num_parameters)["total_mb"],
        "Adam": estimate(student.Adam([w]), num_parameters)["total_mb"],
    }


def recommendations_are_complete(student: Student, best: float, winners: list[str]) -> Values:
    """Advice: headings for convergence, scaling and monitoring complete the recommendations."""
    analyses = analyses_that_found(best, winners)
    text = "\n".join(
        student.OptimizerConvergenceProfiler().generate_production_recommendations(analyses)
    )
    headings = ["CONVERGENCE OPTIMIZATION:", "SCALING CONSIDERATIONS:", "MONITORING & DEBUGGING:"]
    return {"headings": [heading in text for heading in headings]}
