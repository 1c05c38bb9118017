"""`tito status` on a terminal of 80 columns."""

import pytest

from tito.commands import status as command
from tito.gradebook import status
from tito.gradebook.status import ModuleStatus


@pytest.mark.parametrize("name", ["10_modern_optimizers", "11_a_module_with_a_long_name"])
def test_nothing_is_cut_at_80_columns(course, monkeypatch, capsys, name):
    monkeypatch.chdir(course.root)
    monkeypatch.setattr(command.console, "_width", 80)
    counted = ("submitted", "graded", "failed", "to_grade_by_hand", "feedback")
    more = dict.fromkeys(counted, 1234) | {"earlier": 16, "changed": 17, "old_feedback": 18}
    row = ModuleStatus(name, "outdated", "outdated", **more)
    monkeypatch.setattr(status, "modules", lambda course: [row])
    command.command.main([], standalone_mode=False)
    printed = capsys.readouterr().out
    table = [line for line in printed.splitlines() if ": " not in line]
    assert "…" not in printed and max(map(len, table)) <= 80
    line = next(line for line in table if "outdated" in line)
    assert line.split()[1:] == ["outdated", "outdated", *["1234"] * 5]
    for told in (
        f"{name}: 16 graded with an earlier release: run 'tito grade {name}'",
        f"{name}: 17 changed since they were graded: run 'tito grade {name}'",
        f"{name}: 18 have a page that is older than their mark: run 'tito feedback {name}'",
    ):
        assert told in printed
