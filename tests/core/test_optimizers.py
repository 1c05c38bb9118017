"""What the reference's classes do beyond what graded cells ask of a student's."""

import numpy as np
import pytest

from tinytorch.core.autograd import Variable
from tinytorch.core.optimizers import SGD, Adam, OptimizerConvergenceProfiler

#: By hand: m = 0.9 * 1 + 0.1 * 2, v = 0.999 * 4 + 0.001 * 4, third step.
RESUMED = 1.0 - 0.1 * (1.1 / (1 - 0.9**3)) / (np.sqrt(4.0 / (1 - 0.999**3)) + 1e-8)


def test_moments_and_count_that_are_set_by_hand_resume_adam():
    w = Variable(np.array([1.0]))
    optimizer = Adam([w], learning_rate=0.1)
    optimizer.m, optimizer.v, optimizer.t = [np.array([1.0])], [np.array([4.0])], 2
    w.grad = Variable(np.array([2.0]))
    optimizer.step()
    assert optimizer.t == 3
    assert w.data.data == pytest.approx(RESUMED, rel=1e-12)


def profiled(names, seconds=0.0):
    """Profile runs that lose 1 a step from 20 on, 12 steps each, the first one from 10 on."""
    profiler, profiles = OptimizerConvergenceProfiler(), {}
    for name, start in zip(names, (10.0, 20.0, 20.0), strict=False):
        w, losses = Variable([1.0]), iter(range(100))
        profiles[name] = profiler.profile_optimizer_convergence(
            name, SGD([w]), lambda losses=losses, start=start: start - next(losses), start, 12
        )
    return profiler, profiles


def test_profiles_with_some_keys_are_completed_from_the_records():
    profiler, profiles = profiled(["a", "b"])
    whole = profiler.compare_optimizers(profiles)
    some = {name: {"final_loss": profile["final_loss"]} for name, profile in profiles.items()}
    assert profiler.compare_optimizers(some) == whole


def test_what_is_not_known_is_left_out_of_the_tables_and_ranks_last():
    result = OptimizerConvergenceProfiler().compare_optimizers(
        {"x": {"final_loss": 0.1}, "y": {"convergence_step": 50, "final_loss": 0.2}}
    )
    assert result["convergence_speed"] == {"y": 50}
    assert result["final_performance"] == {"x": 0.1, "y": 0.2}
    assert result["stability"] == result["efficiency"] == {}
    assert result["rankings"]["convergence_speed"] == ["y", "x"]
    assert result["rankings"]["final_performance"] == ["x", "y"]
    assert sorted(result["rankings"]["stability"]) == ["x", "y"]


def test_the_summary_says_so_where_no_run_converged():
    profiler, profiles = profiled(["a", "b"])
    fastest = profiler.compare_optimizers(profiles)["recommendations"]["summary"][1]
    assert fastest == "Fastest convergence: a, though no run converged within its steps"


def test_the_clock_does_not_decide_which_run_is_best_overall():
    profiler, profiles = profiled(["a", "b", "c"])
    best = set()
    for slow in profiles:
        timed = {
            name: {**profile, "average_step_time": 9.0 if name == slow else 1e-6}
            for name, profile in profiles.items()
        }
        best.add(profiler.compare_optimizers(timed)["recommendations"]["summary"][0])
    assert best == {"Best overall optimizer: a"}


def test_ties_keep_the_order_of_the_final_losses_and_then_of_the_names_given():
    same = {"convergence_step": None, "stability_score": 0.5}
    profiles = {"z": {**same, "final_loss": 2.0}, "y": {**same, "final_loss": 1.0}}
    profiles["x"] = {**same, "final_loss": 2.0}
    rankings = OptimizerConvergenceProfiler().compare_optimizers(profiles)["rankings"]
    assert rankings["convergence_speed"] == rankings["stability"] == ["y", "z", "x"]


@pytest.mark.parametrize(
    ("analyses", "lines"),
    [
        ({"learning_rate_analysis": {"optimal_range": (0.001, 0.1)}}, ["0.001 to 0.1"]),
        ({"learning_rate_analysis": {"recommendations": ["try 0.2"]}}, ["try 0.2"]),
        ({"convergence_comparison": {"rankings": {}}}, ["CONVERGENCE OPTIMIZATION:"]),
        ({"convergence_comparison": {"recommendations": {"summary": ["S"]}}}, ["  S"]),
        ({"memory_analysis": {"Adam": {"total_mb": 3.0}, "SGD": {}}}, ["Adam: 3 MB"]),
    ],
)
def test_analyses_with_some_keys_are_enough_for_advice(analyses, lines):
    text = "\n".join(OptimizerConvergenceProfiler().generate_production_recommendations(analyses))
    assert all(line in text for line in lines), text
