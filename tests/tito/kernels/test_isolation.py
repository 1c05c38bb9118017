"""What was found of a machine is kept for as long as the same would be found."""

import pytest

from tito.kernels import isolation
from tito.kernels.isolation import IsolationReport, circumstances, keep_in, kept_in
from tito.sandbox import Isolation

FULL = IsolationReport(Isolation("full", (), "/usr/bin/bwrap", "0.11", 65534), forks=True)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "isolation.json"


def test_the_best_finding_is_kept_for_the_same_circumstances(file):
    keep_in(file, "now", FULL)
    assert (kept_in(file, "now"), kept_in(file, "later")) == (FULL, None)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"circumstances": "now", "isolation": {"a": 1}}']
)
def test_what_is_no_finding_is_looked_for_again(file, text):
    file.write_text(text)
    assert kept_in(file, "now") is None


@pytest.mark.parametrize(
    "report",
    [
        IsolationReport(Isolation("partial", ("reads files",)), forks=True),
        IsolationReport(Isolation("full", ()), forks=False),
        IsolationReport(Isolation("limits", ("reads files",)), forks=False),
    ],
)
def test_a_weaker_finding_is_never_kept(file, report):
    keep_in(file, "now", report)
    assert not file.exists()


def test_circumstances_are_the_package_the_answers_the_tools_and_the_machine(tmp_path, monkeypatch):
    module = tmp_path / "module.py"
    module.write_text("x = 1")
    first = circumstances(tmp_path, (), ("a",))
    assert circumstances(tmp_path, (), ("a",)) == first
    others = {circumstances(None, (), ("a",)), circumstances(tmp_path, (), ("b",))}
    others |= {circumstances(tmp_path, (tmp_path,), ("a",))}
    monkeypatch.setattr(isolation, "find_bwrap", lambda: module)
    others |= {circumstances(tmp_path, (), ("a",))}
    monkeypatch.undo()
    monkeypatch.setattr(isolation, "this_machine", lambda: "another start of it")
    others |= {circumstances(tmp_path, (), ("a",))}
    monkeypatch.undo()
    module.write_text("x = 22")
    others |= {circumstances(tmp_path, (), ("a",))}
    assert len(others - {first}) == 6
