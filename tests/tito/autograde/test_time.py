"""The time of cells and notebooks: of processors, and by the clock only where nobody works."""

from tests.tito.autograde.test_run_cells import run, text
from tito.course.cells import flags


def test_only_processor_time_of_all_its_processes_counts_for_a_cell_and_little_the_clock():
    busy = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'while True: pass'])"
    nb = run("import time; time.sleep(2); print('slept')", busy, "print('after')", timeout=1)
    assert text(nb.cells[0]) == "slept\n" and text(nb.cells[2]) == "after\n"
    assert flags(nb) == ["stopped after 1 s of processor time: a cell at the beginning"]


def test_what_sleeps_for_ever_is_stopped_by_the_clock():
    nb = run("import time; time.sleep(600)", "print('after')", timeout=1, patience=2.0)
    assert text(nb.cells[1]) == "after\n"
    assert flags(nb) == ["stopped after 2 s: a cell at the beginning"]


def test_only_processor_time_counts_for_a_notebook():
    nb = run(*["import time; time.sleep(1); print(1)"] * 3, submission_timeout=2.0)
    assert [text(cell) for cell in nb.cells] == ["1\n"] * 3
