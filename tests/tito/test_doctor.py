"""What `tito doctor` says of the isolation; the rest is tested with the command line."""

from tito import doctor
from tito.sandbox import Isolation, levels


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


def test_what_the_course_shares_is_read(course):
    data, module = course.package / "data", course.package / "datasets.py"
    assert all(finding.ok for finding in doctor._data(course))
    data.unlink()  # a link to the real one
    data.mkdir()
    (data / "digits.csv.gz").write_bytes(b"no gzip")
    module.unlink()
    wrong = [finding.what for finding in doctor._data(course) if not finding.ok]
    assert wrong == [
        f"{module} is shared: [Errno 2] No such file or directory: '{module}'",
        f"{data} is shared: Not a gzipped file (b'no')",
    ]


def test_the_answers_of_all_modules_are_looked_for(course, monkeypatch):
    asked = {}
    full = Isolation("full", ())
    monkeypatch.setattr(levels, "examine", lambda **given: asked.update(given) or full)
    assert doctor._isolation(course).ok
    assert asked["answers"] == ["tinytorch.core.first", "tinytorch.core.second"]
