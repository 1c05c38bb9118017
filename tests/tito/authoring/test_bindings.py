"""A demonstration must not take a name that the course's own cells rely on."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tito.authoring.rules import faults_of
from tito.authoring.rules.bindings import faults
from tito.authoring.source import read_source
from tito.course import Course

#: What a locked cell holds that demonstrations stand beside.
LOCKED = """\
import numpy as np
from tinytorch.core.autograd import record
for package in ("numpy",):
    found = [package for _ in range(2)]

class Piece:
    size = len("x")

    def step(self):
        return [record(array) for array in self.arrays][BLOCK:]
"""


def named(demonstration: str) -> list[str]:
    """Return what is said of a demonstration behind a locked cell."""
    locked = new_code_cell(LOCKED)
    locked.metadata["nbgrader"] = {"grade": False, "solution": False, "locked": True}
    locked.metadata["nbgrader"]["grade_id"] = "given-piece"
    notebook = nbformat.v4.new_notebook(cells=[locked, new_code_cell(demonstration)])
    return [fault.text.split("'")[1] for fault in faults(notebook)]


@pytest.mark.parametrize(
    ("demonstration", "names"),
    [
        ("for record in [{}]:\n    print(record)", ["record"]),
        ("if __name__ == '__main__':\n    with open('x') as np:\n        pass", ["np"]),
        ("BLOCK = 1\n\ndef Piece():\n    pass", ["BLOCK", "Piece"]),
        ("len = range = 3", ["len", "range"]),
        ("import pickle as record", ["record"]),
        ("print([(record := x) for x in [1]])", ["record"]),
        ("def f():\n    global record\n    record = 1", ["record"]),
        ("import numpy as np\nfrom tinytorch.core.autograd import record", []),
        ("def f(record):\n    BLOCK = record\n    return [np for np in BLOCK]", []),
        ("found, package, arrays, size = 1, 2, 3, 4\nrecord.x = record[0]", []),
    ],
)
def test_what_demonstrations_bind(demonstration, names):
    assert named(demonstration) == names


def test_a_picture_that_replaces_autograds_function_is_refused(tmp_path):
    """As it was: run once, the picture made each later FusedSGD(...).step() fail."""
    module = Course.find().module("09_training_systems")
    source = read_source(module.source)
    assert faults_of(module, source) == []
    picture = "for record, title in [({}, 'Loss')]:\n    print(title, record)"
    source.cells.append(new_code_cell(picture, id="picture"))
    [fault] = faults_of(module, source)
    assert fault.startswith("picture: binds 'record', which cell-")
