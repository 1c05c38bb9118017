"""The grading process stays small, whatever a notebook shows."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from tests.odd_frames import SEND
from tests.tito.small_course import RIGHT, solve
from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.gradebook.scores import table

#: Grades in one process, and says what it held at most, in MB.
GRADE = """
import re
from pathlib import Path
from tito.course import Course
from tito.autograde import grade_class

course = Course(Path.cwd())
grade_class.grade(course, course.module("08"))
# What getrusage says begins with what the process that started this one had.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
PICTURES = """
for _ in range(6):
    display({"image/png": "A" * 100_000, "text/plain": "<Figure>"}, raw=True)
"""
SEEN = f"""
seen = {{"version": 1, "run": "r", "grade_id": "test-double", "part": "positive", "case": 0}}
for _ in range(100):
    display({{{OBSERVATION_TYPE!r}: [{{**seen, "values": "x" * 720_000}}]}}, raw=True)
"""
#: Each character takes four bytes in memory, and so does each that stands beside it in a text.
WIDE = "print('😀' + 'x' * 900_000)"
#: A thread that does not wait for anybody to read.
FLOOD = f"""
{SEND}
import threading

content = {{"data": {{"application/json": [[]] * 100_000, "a": "b" * 3_000_000}}, "metadata": {{}}}}
def flood():
    for _ in range(6):
        send("display_data", content)
threads = [threading.Thread(target=flood) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
NOTEBOOKS = {
    "pictures": [PICTURES] * 300,
    "observations": [SEEN] * 8,
    "wide text": [WIDE] * 100,
    "a flood of large messages": [FLOOD],
    "text of its own": [f"# {'x' * 9_000}😀"] * 1_900,
}


@pytest.mark.parametrize("cells", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_the_grading_process_and_the_graded_notebook_stay_small(
    course, module, hand_in, released, cells
):
    notebook = solve(nbformat.from_dict(released), RIGHT)
    notebook.cells += [new_code_cell(source, id=f"own-{n}") for n, source in enumerate(cells)]
    path = hand_in("large", notebook)
    run = subprocess.run(
        [sys.executable, "-c", GRADE], cwd=course.root, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 400
    graded = course.autograded / "large" / module.name / path.name
    assert graded.stat().st_size < path.stat().st_size + 20_000_000
    (row,) = table(course, module)
    assert (row.points["test-double"], row.points["test-triple"]) == (4.0, 6.0)
