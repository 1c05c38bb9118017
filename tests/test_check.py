"""`make check` runs the tests of what has changed, the nearest first, within its budget."""

import subprocess

import pytest

from tests.check import HEAVY, ROOT, Budget, changed, chosen

pytest_plugins = "pytester"


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("tito/gradebook/writer.py", "tests/tito/gradebook/test_writer.py"),
        ("tito/pages/templates/overview.html", "tests/tito/pages/test_overview.py"),
        ("tinytorch/checks/judge.py", "tests/checks/test_judge.py"),
        ("modules/source/08_optimizers/optimizers_dev.py", "tests/modules/test_lab.py"),
        ("docs/instructors.md", "tests/docs/test_packages.py"),
        ("tests/tito/course/test_times.py", "tests/tito/course/test_times.py"),
    ],
)
def test_the_nearest_test_comes_first(path, first):
    assert chosen([path])[0] == ROOT / first


def files_for(*paths: str) -> set[str]:
    return {str(test.relative_to(ROOT)) for test in chosen(paths)}


def test_what_imports_a_change_is_chosen_through_other_modules_and_a_conftest():
    assert "tests/tito/test_layers.py" not in files_for("tito/gradebook/writer.py")
    assert "tests/tito/autograde/test_kills.py" in files_for("tito/gradebook/writer.py")
    assert "tests/tito/gradebook/test_scores.py" in files_for("tests/tito/small_course.py")


def test_a_chapter_has_the_tests_of_its_export_and_of_its_cells():
    found = files_for("modules/source/08_optimizers/optimizers_dev.py")
    assert {"tests/core/test_optimizers.py", "tests/solutions/test_solutions.py"} <= found


def test_heavy_tests_are_chosen_only_where_they_have_changed():
    assert not [test for test in files_for("tito/errors.py") if test.startswith(HEAVY)]
    assert files_for("tests/attacks/test_attacks.py") == {"tests/attacks/test_attacks.py"}


def test_nothing_is_chosen_for_what_no_test_is_about():
    assert chosen(["NEWS.md"[::-1]]) == []


def test_commits_since_the_upstream_the_working_tree_and_new_files_have_changed(tmp_path):
    def git(*command: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True, capture_output=True)

    def commit(name: str) -> None:
        (tmp_path / name).write_text(name)
        git("add", name)
        git("commit", "-m", name)

    git("init", "-b", "main")
    for name in ("upstream.py", "edited.py"):
        commit(name)
    git("checkout", "--track", "-b", "mine")
    commit("committed.py")
    (tmp_path / "edited.py").write_text("other")
    (tmp_path / "new.py").touch()
    assert changed(tmp_path) == ["committed.py", "edited.py", "new.py"]
    assert changed(tmp_path, "HEAD") == ["edited.py", "new.py"]


def test_when_the_time_is_spent_only_what_has_changed_itself_still_runs(pytester):
    files = [
        pytester.makepyfile(**{name: "def test_one(): pass\ndef test_two(): pass"})
        for name in ("test_near", "test_far")
    ]
    budget = Budget(files[::-1], always=files[:1], seconds=0)
    run = pytester.inline_run("-p", "no:cacheprovider", plugins=[budget])
    passed, skipped, failed = run.listoutcomes()
    assert [(len(passed), len(skipped), len(failed))] == [(2, 2, 0)]
    assert budget.left_out == {files[1]: 2}
    assert "test_far" in skipped[0].nodeid and "test_near" in passed[0].nodeid
