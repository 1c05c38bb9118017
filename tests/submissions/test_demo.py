"""`make demo`, with a `tito` that notes where it is called and exports for real."""

import os
import subprocess
import sys
from pathlib import Path

from tests.submissions.course import ROOT
from tests.submissions.students import CLASSES

BIN = Path(sys.executable).parent
PROGRAMS = {
    "python": f'exec "{sys.executable}" "$@"',
    "tito": 'echo "$PWD: $*" >>"$(dirname "$0")/calls"\n'
    'case $1 in release) cp -r "$RELEASES/." modules/release;; grade) exit 1;; export) '
    f'exec "{BIN}/tito" "$@";; esac',
}


def test_the_sample_class_is_handed_in_to_a_course_of_its_own(real_course, tmp_path):
    for name, text in PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    demo = tmp_path / "demo"
    earlier = demo / "modules" / "submitted" / "somebody"
    earlier.mkdir(parents=True)
    real = {path: path.stat().st_mtime_ns for path in ROOT.joinpath("modules").rglob("*")}
    core = {path: path.stat().st_mtime_ns for path in ROOT.joinpath("tinytorch/core").glob("*.py")}

    command = ["make", "--old-file=.venv/.installed", "demo", f"BIN={tmp_path}", f"DEMO={demo}"]
    env = os.environ | {"RELEASES": str(real_course.release)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    of_module = ("release", "grade", "feedback", "overview", "scores")
    steps = [f"{step} {module}" for module in CLASSES for step in of_module]
    steps = ["export --all", *steps, "status"]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [f"{demo}: {step}" for step in steps]
    assert {path.name for path in earlier.parent.iterdir()} == set().union(*CLASSES.values())
    assert {path: path.stat().st_mtime_ns for path in real} == real
    assert set(ROOT.joinpath("modules").rglob("*")) == set(real)
    assert {path: path.stat().st_mtime_ns for path in core} == core
