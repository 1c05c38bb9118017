"""The gradebook in PostgreSQL: a real server of Debian's package, on loopback."""

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import Engine, create_engine, event, text

from tests.tito.autograde.processes import start_tito
from tests.tito.small_course import configure, make_release, mark_by_hand
from tito.errors import TitoError
from tito.gradebook import writer
from tito.gradebook.result import Result
from tito.sandbox.watchdog import tree

ADMIN, USER, PASSWORD, COURSE = "postgres", "grading", "not-to-be-told", "tinytorch-optimizers"


class Server:
    """A server that nothing else uses, and that can be killed and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder, self._data = programs, folder, folder / "data"
        self._port = 20_000 + os.getpid() % 20_000
        self._env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        folder.mkdir(mode=0o755)
        (folder / "password").write_text(PASSWORD)
        self._become: list[str] = []
        self.databases: list[str] = []
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(folder, "nobody", "nogroup")
            self._become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        words = ("-U", ADMIN, "-A", "scram-sha-256", "--pwfile", folder / "password")
        self._run("initdb", "-D", self._data, *words, "-E", "UTF8", "--no-sync")

    def _run(self, program: str, *words: str | Path) -> None:
        command = [*self._become, self._programs / program, *words]
        done = subprocess.run(command, env=self._env, cwd="/", capture_output=True, text=True)
        log = self._folder / "log"
        assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self._port} -c fsync=off "
        options += "-c unix_socket_directories="
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", log, "start")

    def kill(self) -> None:
        """Kill all of it at once, as when its machine is switched off."""
        with suppress(OSError):
            first = int((self._data / "postmaster.pid").read_text().split()[0])
            pids = [first, *tree(first)]
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            while any(Path(f"/proc/{pid}/exe").exists() for pid in pids):
                time.sleep(0.02)
            # A number may stand in /proc until somebody asks how its process ended.
            (self._data / "postmaster.pid").unlink()

    def url(self, database: str, user: str = USER) -> str:
        return f"postgresql+psycopg://{user}:{PASSWORD}@127.0.0.1:{self._port}/{database}"

    def administer(self, statement: str) -> None:
        engine = create_engine(self.url("postgres", ADMIN), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def make_database(self, name: str, more: str = "") -> None:
        self.administer(f"CREATE DATABASE {name} OWNER {USER} {more}")
        self.databases.append(name)


@pytest.fixture(scope="module")
def server():
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("needs Debian's postgresql: 'make system' as root")
    folder = Path("/tmp") / f"tito-pg-{os.getpid()}"
    made = Server(programs[-1], folder)
    try:
        made.start()
        made.administer(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(course, server, request) -> str:
    """The small course with its gradebook in PostgreSQL; gives its address."""
    name = f"course_{abs(hash(request.node.name))}"
    configure(course, f'c.CourseDirectory.db_url = "{server.url(name)}"')
    if not server.databases:  # released once, then copied
        server.make_database(name)
        make_release(course)
        server.make_database("released", f"TEMPLATE {name}")
    else:
        server.make_database(name, "TEMPLATE released")
    return server.url(name)


def count(url: str, *queries: str) -> list[int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [connection.execute(text(query)).scalar() for query in queries]
    engine.dispose()
    return found


def test_concurrent_manual_mark_stays(course, module, url, class_of, grade, marks):
    expected = class_of(2)
    assert len(grade(seed=1).graded) == 2
    assert marks() == expected

    # Another instructor gives a mark when this one's transaction is half done.
    began, given = threading.Event(), threading.Event()

    def slowly(connection, cursor, statement, *more):
        if statement.startswith("UPDATE grade") and "auto_score" in statement:
            began.set()
            assert given.wait(30)

    def give_a_mark():
        assert began.wait(120)
        mark_by_hand(course, "student-001", "test-double", 1.5)
        given.set()

    event.listen(Engine, "before_cursor_execute", slowly)
    other = threading.Thread(target=give_a_mark)
    other.start()
    assert len(grade(force=True, seed=1).graded) == 2
    other.join()
    event.remove(Engine, "before_cursor_execute", slowly)
    expected["student-001"] = (1.5, 0.0)
    assert marks() == expected
    with Gradebook(url, COURSE) as book:
        found = book.find_grade("test-double", module.notebook, module.name, "student-001")
        assert (found.auto_score, found.needs_manual_grade) == (4.0, False), "for the same work"


def test_two_instructors_may_grade_at_once(course, module, url, class_of, marks, record_of):
    expected = class_of(2)
    runs = [start_tito(course.root, "grade", "08", "--force") for _ in range(2)]
    for run in runs:
        out, error = run.communicate(timeout=180)
        assert run.returncode == 0 and "2 graded" in out, out + error
    assert marks() == expected
    rows = count(
        url, *(f"SELECT count(*) FROM {table}" for table in ("submitted_assignment", "grade"))
    )
    assert rows == [2, 2 * 3]
    for student in expected:  # the notebook and the record are of the run whose marks stand
        record = record_of(student)
        path = course.autograded / student / module.name / f"{module.notebook}.ipynb"
        assert f'"seed": {record.seed}' in path.read_text()
        # Of the other run, unless both drew the same inputs, as a run does that is gone on with.
        assert [mark["seed"] != record.seed for mark in record.earlier] in ([], [True])


def test_concurrent_runs_do_not_deadlock(module, url):
    students = [f"student-{number:03}" for number in range(40)]
    made = [
        Result(s, "x", "graded", scores={"test-double": 4.0}, comments={"question-1": None})
        for s in students
    ]
    failures: list[BaseException] = []

    def enter(results: list[Result]) -> None:
        try:
            gradebook = Gradebook(url, COURSE)
            # Without patience: whatever conflict there is, is a failure.
            book = writer.GradebookWriter(gradebook, module.name, module.notebook, patience=-1)
            for _ in range(15):
                book.write(results)
            book.close()
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=enter, args=(way,)) for way in (made, made[::-1])]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert failures == []
    rows = "SELECT count(*) FROM grade WHERE auto_score = 4", "SELECT count(*) FROM grade"
    assert count(url, *rows) == [40, 40 * 3]


def test_a_server_that_goes_away_costs_no_mark(
    url, class_of, server, grade, marks, monkeypatch, tito
):
    expected = class_of(2)
    set_penalties = writer.set_penalties
    kills: list[threading.Timer] = []

    def amid_a_transaction(*arguments):
        if not kills:
            server.kill()
            kills.append(threading.Timer(seconds, server.start))
            kills[0].start()
        set_penalties(*arguments)

    monkeypatch.setattr(writer, "set_penalties", amid_a_transaction)
    seconds = 3600.0
    monkeypatch.setattr(writer, "LOCK_TIMEOUT", 0.1)
    with pytest.raises(TitoError, match="cannot be written to.*Grading again resumes from here"):
        grade(seed=1)
    kills[0].cancel()
    answer = tito("scores", "08")
    assert answer.returncode == 1 and "gradebook cannot be used: " in answer.stderr
    assert "refused" in answer.stderr and PASSWORD not in answer.stderr

    server.start()
    run = grade(seed=1)
    assert [outcome.status for outcome in run.outcomes] == ["skipped"] * 2, "graded before"
    assert marks() == expected

    kills.clear()
    seconds = 1.0
    monkeypatch.setattr(writer, "LOCK_TIMEOUT", 60.0)
    run = grade(force=True, seed=1)
    assert len(run.graded) == 2, "it came back, and nobody noticed"
    assert marks() == expected
