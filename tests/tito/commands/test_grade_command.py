"""What `tito grade` says: while it works, at its end, to machines, and in its log."""

import io
import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from tito.autograde import grade_class
from tito.autograde.grade_class import GradingRun, Outcome
from tito.commands import grade
from tito.errors import UsageError
from tito.sandbox import Isolation


@pytest.fixture
def tito_grade(course, hand_in, monkeypatch):
    """Run the command in a course with a submission that can be graded and one that cannot."""
    hand_in("ada")
    hand_in("broken", "{")
    monkeypatch.chdir(course.root)
    return lambda *arguments: CliRunner().invoke(grade.command, ["08", *arguments])


def test_summary_names_failures_and_log(tito_grade, course, module):
    first, second = tito_grade(), tito_grade()
    assert first.exit_code == second.exit_code == 1
    lines = first.stdout.splitlines()
    assert lines[0].startswith("not graded: broken: optimizers_dev.ipynb is not valid JSON (line 1")
    assert lines[1].startswith("1 graded, 0 unchanged, 1 not graded, in ")
    assert lines[2].startswith("isolation: full")
    assert "0 graded, 1 unchanged, 1 not graded" in second.stdout
    logs = [Path(run.stdout.splitlines()[-1].removeprefix("log: ")) for run in (first, second)]
    assert logs == sorted((course.records / module.name).relative_to(course.root).glob("*.log"))
    for log in logs:
        assert "ERROR   broken could not be graded: optimizers_dev.ipynb is not" in log.read_text()


def test_module_without_points_is_told(monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[3])
    answer = CliRunner().invoke(grade.command, ["09"])
    assert isinstance(answer.exception, UsageError)
    assert str(answer.exception) == "09_training_systems has no points: nothing to grade."


def test_json_is_all_that_machines_get(tito_grade, course):
    done = tito_grade("--json")
    assert (done.exit_code, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert told.pop("seconds") > 0 and Path(told.pop("log")).is_file()
    assert told.pop("isolation")["level"] == "full"
    ada, broken = told.pop("outcomes")
    assert (told.pop("interrupted"), told.pop("notices")) == (False, [])
    assert told == {"total": 2, "graded": 1, "unchanged": 0, "failed": 1}
    assert (ada["student"], ada["status"], ada["reason"], ada["flags"]) == ("ada", "graded", "", [])
    assert (broken["student"], broken["status"]) == ("broken", "failed")
    assert "is not valid JSON" in broken["reason"]


def test_a_second_interrupt_does_not_lose_what_is_told(course, monkeypatch):
    monkeypatch.chdir(course.root)
    before = signal.getsignal(signal.SIGINT)

    def graded(*arguments):
        run = GradingRun(Path("x.log"), Isolation("full"), 2, [Outcome("ada", "graded")])
        arguments[4](run)
        raise KeyboardInterrupt  # the first one has ended the run; now it would return

    monkeypatch.setattr(grade_class, "grade", graded)
    try:
        answer = CliRunner().invoke(grade.command, ["08", "--json"])
    finally:
        signal.signal(signal.SIGINT, before)
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["interrupted"]) == (1, True)
    assert [one["student"] for one in told["outcomes"]] == ["ada"]


def test_the_bar_shows_rate_time_left_and_failures(course, monkeypatch):
    now, screen = [0.0], io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=120, get_time=lambda: now[0])
    frames, bars = [], []

    def bar_that_draws_when_told(hidden: bool):
        bars.append(made := make_bar(hidden))
        made.live.auto_refresh = False  # no thread of its own
        return made

    def graded(*arguments) -> GradingRun:
        show, run = arguments[4], GradingRun(Path("x.log"), Isolation("full"), total=40)
        for outcomes in (
            [],
            [Outcome(f"s{number}", "skipped") for number in range(10)],
            [Outcome(f"g{number}", "graded") for number in range(9)] + [Outcome("f", "failed")],
        ):
            run.outcomes += outcomes
            now[0] += 30 if outcomes else 0
            show(run)
            screen.seek(0)
            screen.truncate()
            bars[0].refresh()
            frames.append(screen.getvalue())
        return run

    monkeypatch.setattr(grade_class, "grade", graded)
    make_bar = grade._bar
    monkeypatch.setattr(grade, "_bar", bar_that_draws_when_told)
    monkeypatch.setattr(grade, "console", terminal)
    monkeypatch.chdir(course.root)
    CliRunner().invoke(grade.command, ["08"])
    begun, skipped, last = frames
    assert "0/40" in begun
    assert "10/40" in skipped and "/min" not in skipped, "what is unchanged says nothing"
    assert "20/40" in last and "0:01:00" in last
    assert "10/min" in last and "0:02:00 left" in last and "1 failed" in last
