"""The gradebook in PostgreSQL: a real server of Debian's package, on loopback."""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tinytorch.tito.fleet import gradebook as writer
from tinytorch.tito.grading import pipeline

from .test_faults import marks

USER = "tito"


def programs() -> Path | None:
    """Find the newest server of the system."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that nothing else uses; gives the beginning of its address."""
    bin_ = programs()
    if bin_ is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Debian's postgresql")
        pytest.skip("install Debian's postgresql")
    folder = Path("/tmp") / f"tito-pg-{os.getpid()}"
    folder.mkdir(mode=0o755)
    # It refuses to run as root.
    become = []
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
        become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    port = 20_000 + os.getpid() % 20_000
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}

    def run(*words):
        subprocess.run([*become, *words], check=True, env=env, cwd="/", capture_output=True)

    data = folder / "data"
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={folder}"
    try:
        run(bin_ / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        run(bin_ / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}"
    finally:
        subprocess.run(
            [*become, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            check=False, env=env, cwd="/", capture_output=True,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def in_postgresql(course, module, server):
    """The small course with its gradebook, which SQLite had, in PostgreSQL."""
    url = f"{server}/postgres"
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(f'c.CourseDirectory.db_url = "{url}"\n')
    config = course.nbgrader_config()
    config.CourseDirectory.assignment_id = module.name
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    config.GenerateAssignment.force = True
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    return url


def test_marks_go_into_postgresql_while_another_instructor_works(
    course, module, in_postgresql, class_of, monkeypatch
):
    expected = class_of(4)
    assert len(pipeline.grade(course, module).graded) == 4
    assert marks(course, module) == expected

    # Another instructor gives a mark by hand while this one's marks are being entered.
    began, given = threading.Event(), threading.Event()
    set_scores = writer.MarkBook._set_scores

    def slowly(self, *arguments):
        began.set()
        assert given.wait(30)
        set_scores(self, *arguments)

    def give_a_mark():
        assert began.wait(120)
        with Gradebook(in_postgresql, "tinytorch-optimizers") as book:
            grade = book.find_grade("test-double", module.notebook, module.name, "student-001")
            grade.manual_score, grade.needs_manual_grade = 1.5, False
            book.db.commit()
        given.set()

    monkeypatch.setattr(writer.MarkBook, "_set_scores", slowly)
    other = threading.Thread(target=give_a_mark)
    other.start()
    assert len(pipeline.grade(course, module, force=True).graded) == 4
    other.join()
    expected["student-001"] = (1.5, 0.0)
    assert marks(course, module) == expected
    with Gradebook(in_postgresql, "tinytorch-optimizers") as book:
        grade = book.find_grade("test-double", module.notebook, module.name, "student-001")
        assert (grade.auto_score, grade.needs_manual_grade) == (4.0, True), "to be looked at again"


def test_two_instructors_may_grade_at_once(course, module, in_postgresql, class_of):
    from .conftest import start_tito

    expected = class_of(4)
    runs = [start_tito(course.root, "grade", "08", "--force") for _ in range(2)]
    for run in runs:
        out, error = run.communicate(timeout=180)
        assert run.returncode == 0, out + error
    assert marks(course, module) == expected
