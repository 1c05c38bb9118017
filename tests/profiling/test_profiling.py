"""Runs over seeds, range test, performance profile, update ratios, and their pictures."""

import math
import subprocess
import sys
import time

import matplotlib
import numpy as np
import pytest
import tqdm.auto
import tqdm.std

from tinytorch.core.autograd import Variable
from tinytorch.core.optimizers import SGD
from tinytorch.profiling import (
    Run,
    draw_performance_profile,
    draw_range_test,
    draw_runs,
    draw_update_ratios,
    learning_rate_range_test,
    performance_profile,
    run_seeds,
    steps_to_target,
    update_ratios,
)
from tinytorch.profiling.runs import progress


@pytest.fixture(autouse=True)
def _without_a_screen():
    matplotlib.use("agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def parabola(seed, curvature=1.0, rate=0.1):
    """L(w) = curvature / 2 * w**2 from w = seed + 1: SGD shrinks w by 1 - rate * curvature."""
    w = Variable(np.array([seed + 1.0]))
    optimizer = SGD([w], learning_rate=rate)

    def train_step():
        optimizer.zero_grad()
        loss = (w * w).sum() * (curvature / 2)
        loss.backward()
        optimizer.step()
        return loss.item()

    return optimizer, train_step


def test_steps_to_a_target_count_from_one_and_may_be_infinite():
    losses = [5.0, 3.0, 4.0, 1.0]
    assert steps_to_target(losses, 3.0) == 2
    assert steps_to_target(losses, 2.6, window=2) == 4
    assert math.isinf(steps_to_target(losses, 0.5))
    assert math.isinf(steps_to_target([], 0.5))
    assert math.isinf(steps_to_target([1.0, math.nan], 0.5))
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        steps_to_target(losses, 1.0, window=0)


def test_time_to_a_target_is_the_time_of_that_step():
    run = Run(0, np.array([5.0, 3.0, 1.0]), np.array([0.1, 0.2, 0.4]))
    assert run.seconds_to(1.0) == 0.4
    assert math.isinf(run.seconds_to(0.0))


def test_each_seed_is_a_run_of_its_own_that_ends_at_the_target():
    runs = run_seeds(parabola, seeds=range(3), steps=50, target=0.01)
    assert [run.seed for run in runs] == [0, 1, 2]
    for run in runs:
        w = (run.seed + 1) * 0.9 ** np.arange(len(run.losses))
        np.testing.assert_allclose(run.losses, w**2 / 2)
        assert run.losses[-1] <= 0.01 < run.losses[-2]
        assert np.all(np.diff(run.seconds) > 0)


def test_a_target_may_be_one_for_the_mean_of_the_last_losses():
    noisy = iter([9.0, 1.0, 9.0, 2.0, 2.0, 2.0])
    (run,) = run_seeds(lambda seed: (None, lambda: next(noisy)), [0], 6, target=2.0, window=2)
    assert len(run.losses) == run.steps_to(2.0, window=2) == 5


def test_long_runs_show_their_progress_and_graded_ones_never(monkeypatch, capsys):
    # As in a terminal: where a test has made a kernel's shell, tqdm would write as in a notebook.
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm.std.tqdm)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    with progress(2, label="digits") as tick:
        time.sleep(1.05)
        tick(1)
    assert "digits:  50%" in capsys.readouterr().err
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with progress(2) as tick:
        tick(1)
    assert capsys.readouterr().err == ""


def test_a_run_that_diverges_ends_and_says_why():
    (run,) = run_seeds(lambda seed: parabola(seed, rate=1e80), seeds=[0], steps=50)
    assert len(run.losses) < 50
    assert "the loss was" in run.stopped_by


def test_range_test_finds_the_limit_of_a_parabola_and_puts_the_rate_back():
    optimizer, train_step = parabola(seed=0, curvature=1.0)
    test = learning_rate_range_test(optimizer, train_step, 1e-3, 100, steps=200, smoothing=0.0)
    assert test.diverged
    assert len(test.rates) < 200
    # Beyond 2 / curvature a step makes it worse; the lowest point of the loss lies there.
    assert 1.5 < test.limit < 3
    assert 0.01 < test.steepest < 1
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lowest": 0.0}, "lowest must be between 0 and highest, got 0.0"),
        ({"lowest": 1.0, "highest": 0.1}, "got 1.0 and 0.1"),
        ({"steps": 1}, "steps must be at least 2, got 1"),
        ({"lowest": 1e200, "highest": 1e201}, "lowest must be less than 1e[+]200"),
    ],
)
def test_range_test_refuses_what_makes_no_range(arguments, message):
    optimizer, train_step = parabola(seed=0)
    with pytest.raises(ValueError, match=message):
        learning_rate_range_test(optimizer, train_step, **arguments)
    assert optimizer.learning_rate == 0.1


def test_performance_profile_of_a_table_worked_out_by_hand():
    # Three problems; ratios: a = 1, 2, inf and b = 3, 1, inf.
    profile = performance_profile({"a": [10, 40, math.inf], "b": [30, 20, math.inf]})
    assert [profile.share_within("a", factor) for factor in (1, 2, 1e9)] == [1 / 3, 2 / 3, 2 / 3]
    assert [profile.share_within("b", factor) for factor in (1, 2, 3)] == [1 / 3, 1 / 3, 2 / 3]
    # (4 - ratio) / 3, averaged over the problems: (1 + 2/3 + 0) / 3 and (1/3 + 1 + 0) / 3.
    assert profile.score("a") == pytest.approx(5 / 9)
    assert profile.score("b") == pytest.approx(4 / 9)
    assert profile.ranking() == ["a", "b"]


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"a": [1.0], "b": [1.0, 2.0]}, "one entry per problem"),
        ({}, "one entry per problem"),
        ({"a": [0.0]}, "costs must be positive"),
        ({"a": [math.nan]}, "costs must be positive"),
    ],
)
def test_costs_that_cannot_be_compared_are_refused(costs, message):
    with pytest.raises(ValueError, match=message):
        performance_profile(costs)


def test_update_ratio_of_sgd_on_a_parabola_is_rate_times_curvature():
    optimizer, train_step = parabola(seed=0, curvature=2.0)
    ratios = update_ratios(optimizer.parameters, train_step, steps=4)
    np.testing.assert_allclose(ratios, np.full((4, 1), 0.2))
    zero = Variable([0.0])
    assert np.isnan(update_ratios([zero], lambda: 0.0, steps=1)).all()


def test_pictures_show_what_was_measured():
    runs = {"SGD": run_seeds(parabola, [0, 1, 2], 20)}
    axes = draw_runs(runs, target=0.1)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), runs["SGD"][1].losses)
    profile = performance_profile({"a": [10, 40, math.inf], "b": [30, 20, math.inf]})
    axes = draw_performance_profile(profile)
    assert [line.get_label() for line in axes.lines] == ["a (score 0.56)", "b (score 0.44)"]
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [1, 1, 3, 4])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), np.array([1, 1, 2, 2]) / 3)
    test = learning_rate_range_test(*parabola(0), 1e-3, 1, steps=20)
    assert draw_range_test(test).get_xscale() == "log"
    optimizer, train_step = parabola(0)
    ratios = update_ratios(optimizer.parameters, train_step, 5)
    np.testing.assert_allclose(draw_update_ratios(ratios, ["w"]).lines[0].get_ydata(), 0.1)


def test_importing_it_loads_neither_matplotlib_nor_tqdm():
    code = "import sys, tinytorch.profiling; print({'matplotlib', 'tqdm'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
