"""What `tito doctor` finds, well and ill; the rest is tested with the command line."""

import json

import pytest

from tito import doctor
from tito.sandbox import Isolation, levels


@pytest.fixture
def find(course):
    """Look at everything; return what is said of one matter."""
    return lambda about: [found for found in doctor.examine(course) if about in found.what]


@pytest.fixture
def isolation(monkeypatch):
    """Let the isolation of this machine be some other; note what it was asked for."""

    def make(level, *leaks):
        asked = {}
        found = Isolation(level, leaks)
        monkeypatch.setattr(levels, "examine", lambda **given: asked.update(given) or found)
        return asked

    return make


def test_the_isolation_of_this_machine_is_measured(find):
    (finding,) = find("isolation of students' code: full, bubblewrap 0.")
    assert finding.ok


def test_a_leak_is_named_with_both_remedies(find, isolation):
    isolation("limits", "bubblewrap is not installed", "reads files in /home/ada")
    (finding,) = find("limits: bubblewrap is not installed; reads files in /home/ada")
    assert not finding.ok
    assert "apt-get install bubblewrap" in finding.remedy
    assert "--isolation limits" in finding.remedy


def test_the_answers_of_all_modules_are_looked_for(find, isolation):
    asked = isolation("full")
    assert find("isolation")[0].ok
    assert asked["answers"] == ["tinytorch.core.first", "tinytorch.core.second"]


def test_what_the_course_shares_is_read(course, find, isolation):
    isolation("full")
    data, module = course.package / "data", course.package / "datasets.py"
    assert all(finding.ok for finding in find("is shared"))
    data.unlink()  # a link to the real one
    data.mkdir()
    (data / "digits.csv.gz").write_bytes(b"no gzip")
    module.unlink()
    assert [finding.what for finding in find("is shared") if not finding.ok] == [
        f"{module} is shared: [Errno 2] No such file or directory: '{module}'",
        f"{data} is shared: Not a gzipped file (b'no')",
    ]


def test_disabled_formgrader_is_reported(find, isolation, tmp_path, monkeypatch):
    isolation("full")
    assert find("formgrader is on")[0].ok
    extension = "nbgrader.server_extensions.formgrader"
    config = {"ServerApp": {"jpserver_extensions": {extension: False}}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(config))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    (finding,) = find("formgrader is on")
    assert not finding.ok and finding.remedy.endswith(f"enable --sys-prefix {extension}")
