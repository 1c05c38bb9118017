"""What `tito doctor` says of the isolation; the rest is tested with the command line."""

from tinytorch.tito import doctor
from tinytorch.tito.sandbox import Isolation, levels


def test_the_isolation_of_this_machine_is_measured(course):
    finding = doctor._isolation(course)
    assert finding.ok and "isolation of students' code: full, bubblewrap 0." in finding.what


def test_a_leak_is_named_with_both_remedies(course, monkeypatch):
    weak = Isolation("limits", ("bubblewrap is not installed", "reads files in /home/ada"))
    monkeypatch.setattr(levels, "examine", lambda **_: weak)
    finding = doctor._isolation(course)
    assert not finding.ok
    assert "limits: bubblewrap is not installed; reads files in /home/ada" in finding.what
    assert "apt-get install bubblewrap" in finding.remedy
    assert "--isolation limits" in finding.remedy
