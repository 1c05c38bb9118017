"""The grading process stays small, whatever a notebook shows."""

import subprocess
import sys

from nbformat.v4 import new_code_cell

from tests.odd_frames import SEND
from tests.tito.small_course import solved
from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.gradebook.scores import table

#: Grades one student after the other in one process, and says what it held at most, in MB.
GRADE = """
import re, sys
from pathlib import Path
from tito.course import Course
from tito.autograde import grade_class, sample

sample.AT_LEAST = 0  # a second run in the same process says nothing more
course = Course(Path.cwd())
for student in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")  # the most it held is forgotten
    grade_class.grade(course, course.module("08"), [student])
    print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
PICTURES = """
for _ in range(30):
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
    "pictures": [PICTURES] * 60,
    "observations": [SEEN] * 8,
    "wide text": [WIDE] * 100,
    "a flood of large messages": [FLOOD],
    "text of its own": [f"# {'x' * 90_000}😀"] * 190,
}


def test_the_grading_process_and_the_graded_notebook_stay_small(course, module, hand_in, released):
    for student, cells in NOTEBOOKS.items():
        notebook = solved(released)
        notebook.cells += [new_code_cell(text, id=f"own-{n}") for n, text in enumerate(cells)]
        hand_in(student, notebook)
    command = [sys.executable, "-c", GRADE, *NOTEBOOKS]
    said = subprocess.check_output(command, cwd=course.root, text=True)
    assert {s: mb for s, mb in zip(NOTEBOOKS, said.split(), strict=True) if int(mb) >= 400} == {}
    for row in table(course, module):
        assert (row.points["test-double"], row.points["test-triple"]) == (4.0, 6.0), row.student
        name = f"{row.student}/{module.name}/{module.notebook}.ipynb"
        before = (course.submitted / name).stat().st_size
        assert (course.autograded / name).stat().st_size < before + 20_000_000
