"""`tito status` on a terminal of 80 columns."""

import pytest

from tito.commands import status as command
from tito.gradebook import status
from tito.gradebook.status import ModuleStatus


@pytest.mark.parametrize("name", ["10_modern_optimizers", "11_a_module_with_a_long_name"])
def test_nothing_is_cut_at_80_columns(course, monkeypatch, capsys, name):
    monkeypatch.chdir(course.root)
    monkeypatch.setattr(command.console, "_width", 80)
    counts = {
        key: 1234 for key in ("submitted", "graded", "failed", "to_grade_by_hand", "feedback")
    }
    row = ModuleStatus(
        name, "outdated", "outdated", **counts, earlier=16, changed=17, old_feedback=18
    )
    monkeypatch.setattr(status, "modules", lambda course: [row])
    command.command.main([], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "…" not in printed and all(
        len(line) <= 80 for line in printed.splitlines() if ": " not in line
    )
    line = next(line for line in printed.splitlines() if "outdated" in line)
    assert line.split()[1:] == ["outdated", "outdated", *["1234"] * 5]
    assert f"{name}: 16 graded with an earlier release: run 'tito grade {name}'" in printed
    assert f"{name}: 17 changed since they were graded: run 'tito grade {name}'" in printed
    assert (
        f"{name}: 18 have a page that is older than their mark: run 'tito feedback {name}'"
        in printed
    )
