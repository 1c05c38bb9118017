#!/usr/bin/env bash
# nbgrader 0.9.6, jupyter_client 8.10.0 (PyPI): a release whose notebook has an AUTOTEST line starts a
# kernel, and ends it, but never closes the channels of its client (`InstantiateTests.preprocess` in
# nbgrader/preprocessors/instantiatetests.py calls `shutdown_kernel` alone). In the process that made the
# release a thread stays, which looks for the kernel's heartbeat and opens a new socket for it again and
# again; ten more files are open after each notebook. Formgrader makes releases in the Jupyter server's own
# process, whose limit is often 1,024 files. One would have guessed that nothing of a release stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    nbgrader==0.9.6 jupyter_client==8.10.0 ipykernel==7.4.0
cat >"$folder/release.py" <<'PY'
import gc
import os
import threading
from importlib.metadata import version
from pathlib import Path

import nbgrader
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config


def make(assignment, source):
    cell = new_code_cell(source)
    cell.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": "test", "points": 1,
        "grade": True, "solution": False, "locked": True, "task": False,
    }  # fmt: skip
    Path("source", assignment).mkdir(parents=True)
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    write(new_notebook(cells=[cell], metadata={"kernelspec": kernel}), f"source/{assignment}/p1.ipynb")


def left():
    """Open files, and threads besides the main one, after a release."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count() - 1


make("plain", "assert 1 + 1 == 2")
make("auto", "### AUTOTEST 1 + 1")
guide = Path(nbgrader.__file__).parent / "docs/source/user_guide/autotests.yml"
Path("autotests.yml").write_bytes(guide.read_bytes())
config = Config({"CourseDirectory": {"root": os.getcwd()}})
api = NbGraderAPI(CourseDirectory(config=config), config=config)
counts = []
for assignment in ("plain", "plain", "auto", "auto", "auto"):
    assert api.generate_assignment(assignment, force=True)["success"]
    counts.append(left())
print(f"nbgrader {version('nbgrader')}, jupyter_client {version('jupyter_client')}")
print("open files and threads after two plain releases:", *counts[:2])
print("after three with an AUTOTEST:", *counts[2:])
files, threads = zip(*counts, strict=True)
# Seen: no more files and no thread after plain ones; a thread and about ten files for each AUTOTEST.
assert files[0] == files[1] and threads == (0, 0, 1, 2, 3)
assert files[3] - files[2] >= 8 and files[4] - files[3] >= 8
PY
export PATH="$folder/venv/bin:$PATH"
mkdir "$folder/course"
cd "$folder/course"
python "$folder/release.py" 2>"$folder/log" || { cat "$folder/log"; exit 1; }
