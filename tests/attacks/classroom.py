"""A class of hostile and honest students, graded for real, and what the world was before."""

from __future__ import annotations

import hashlib
import os
import re
import select
import shutil
import socket
import stat
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from tests.attacks import leftovers
from tests.attacks.answers import BASES, points_for_constants, whole_source
from tests.attacks.attack import Attack, Ground, submit
from tests.ordinary import as_ordinary_user, give
from tests.submissions.course import copy_course
from tests.submissions.notebook import Work
from tito.authoring.release import release
from tito.course import Course
from tito.course.cells import flags, is_autograded
from tito.gradebook.scores import Row, table

TITO, NBGRADER = (Path(sys.executable).parent / name for name in ("tito", "nbgrader"))
SEED = 8
#: Lower than in a real course, since hanging attacks take all of it.
LIMITS = """
c.ExecuteSubmission.timeout = 2
c.ExecuteSubmission.submission_timeout = 6
c.ExecuteSubmission.patience = 1.5
c.ExecuteSubmission.grace = 0.5
"""
#: What is graded of each assignment. Cells without nbgrader's metadata, text and figures, are not
#: needed for it.
_NEEDED = {
    "08_optimizers": r"(gradient-descent|sgd|adam|steplr)-(function|class)|"
    r"test-(gradient-descent|sgd|adam|step-scheduler)",
    "10_modern_optimizers": r"optimizer-base|(test-)?[a-z]+-(groups|class|functions|average|adamw)|"
    r"test-(rmsprop|nesterov|adamw|schedules|muon)",
}
_CELL = r"\A# %%.*\"grade_id\": \"(setup|imports|prompt-1.*|question-1.*|{})\"|default_exp"
_WATCHED = ("tinytorch", "modules/source", "modules/release", "modules/submitted",
            "build/package", "build/notebooks", "nbgrader_config.py", "settings.ini")  # fmt: skip


def lean_course(target: Path, module: str) -> Course:
    """Make the real course with a lean release: without text and demonstrations, 08 by half."""
    course = copy_course(target)
    source = course.module(module).source
    head, *cells = re.split(r"^(?=# %%)", source.read_text(), flags=re.MULTILINE)
    needed = [c for c in cells if re.search(_CELL.format(_NEEDED[module]), c)]
    source.write_text(head + "".join(needed))
    with (target / "nbgrader_config.py").open("a") as config:
        config.write(LIMITS)
    release(course, course.module(module))
    _enter_veteran(course, module)
    return course


@dataclass
class Graded:
    """A class after it was graded."""

    ground: Ground
    #: The marks, by student; attacks are called attack-NAME.
    rows: dict[str, Row] = field(default_factory=dict)
    #: What the command said.
    answer: subprocess.CompletedProcess | None = None
    #: Digests of the files of the course and of the home folder.
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    #: What attacks left behind: processes, files, segments.
    left: list[str] = field(default_factory=list)
    #: Who came to the listener.
    visits: list[str] = field(default_factory=list)
    #: What attacks claim to have done, by the attack's name.
    boasts: dict[str, list[str]] = field(default_factory=dict)
    #: The marks of a student who was graded long ago, before and after.
    veteran: tuple = ()
    #: The points for code, of the first cell, and of who publishes what the notebook expects.
    full: float = 0.0
    first: float = 0.0
    constant: float = 0.0

    @property
    def course(self) -> Course:
        """The course that was graded."""
        return Course(self.ground.root)

    def why(self, student: str) -> str:
        """Say where a student's points went, for whoever reads that a test has failed."""
        told = [self.rows[student].reason]
        for path in self.course.autograded.glob(f"{student}/{self.ground.module}/*.ipynb"):
            nb = nbformat.read(path, nbformat.NO_CONVERT)
            outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
            told += [*flags(nb), *(output.evalue for output in outputs if "evalue" in output)]
            for verdict in nb.metadata.tinytorch.get("verdicts", {}).values():
                told += [f"{p.name}: {p.problem.got}" for p in verdict.parts if p.problem]
        return "\n".join(told)


def grade_class(lean: Course, module: str, attacks: list[Attack], base: Path, user: str) -> Graded:
    """Hand in attacks between honest students, grade them, and look at what is left.

    ``base`` is an empty folder with a short name, which becomes the mark of all that attacks
    leave. ``user`` says who grades: "somebody" is an ordinary user, "nbgrader" root or me by
    ``nbgrader autograde`` with forked kernels, others by ``tito grade``.
    """
    for name in ("home/.ssh", "tmp"):
        (base / name).mkdir(parents=True)
    (base / "home/.ssh/canary").write_text("a key\n")
    course = Course(shutil.copytree(lean.root, base / "course", symlinks=True))
    with Listener(base) as listener:
        ground = Ground(base.name, course.root, base / "home", listener.port, listener.path, module)
        found = Graded(ground)
        _hand_in(course, attacks, ground)
        earlier, found.before = _veteran(course, module), _digests(ground)
        if user == "somebody":
            give(base)
        found.answer = _grade(ground, base / "tmp", user)
        found.left = leftovers.end_processes(ground.mark)
        found.visits = listener.visits()
    found.after = _digests(ground)
    found.left += leftovers.remove_files(ground, base / "tmp")
    found.left += leftovers.remove_segments(ground.mark)
    found.veteran = (earlier, _veteran(course, module))
    found.rows = {row.student: row for row in table(course, course.module(module))}
    found.boasts = _boasts(found)
    source = whole_source(course, module)
    points = [c.metadata.nbgrader.points for c in source.cells if is_autograded(c)]
    found.full, found.first = sum(points), points[0]
    found.constant = points_for_constants(source, SEED)
    return found


def _hand_in(course: Course, attacks: list[Attack], ground: Ground) -> None:
    def begin(student: str) -> tuple[Path, Work]:
        folder = course.submitted / student / ground.module
        folder.mkdir(parents=True)
        return folder, Work(course, course.module(ground.module))

    honest = {f"aa-{attack.base}": attack.base for attack in attacks}
    for student, base in {**honest, "zz-perfect": "perfect"}.items():
        folder, work = begin(student)
        BASES[base](work)
        (folder / work.file).write_text(work.text())
    for student in sorted({attack.student for attack in attacks}):
        submit([one for one in attacks if one.student == student], *begin(student), ground)


def _grade(ground: Ground, tmp: Path, user: str) -> subprocess.CompletedProcess:
    env = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    env |= {"HOME": str(ground.home), "TMPDIR": str(tmp), "LANG": "C.UTF-8"}
    env |= {"OPENBLAS_NUM_THREADS": "1", "TITO_CANARY": "a secret"}
    command = [str(TITO), "grade", ground.module, "--seed", str(SEED)]
    if user == "nbgrader":
        command = [str(NBGRADER), "autograde", ground.module, f"--ExecuteSubmission.seed={SEED}"]
    elif user == "somebody":
        command = as_ordinary_user(*command, cwd=ground.root)
    return subprocess.run(
        command, cwd=ground.root, env=env, text=True, errors="replace", start_new_session=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False,
    )  # fmt: skip


def _digests(ground: Ground) -> dict[str, str]:
    """Return a digest of every file, link and pipe of the course and of the home folder."""
    tops = [ground.root / name for name in _WATCHED] + [ground.home]
    found = {}
    for top in tops:
        for path in [top, *top.rglob("*")]:
            if "__pycache__" not in path.parts:
                found[os.fsencode(path).decode(errors="replace")] = _digest(path)
    return found


def _digest(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link to {os.readlink(path)}"
    if stat.S_ISREG(mode):
        return f"{oct(mode)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return oct(mode)


def _book(course: Course) -> Gradebook:
    return Gradebook(f"sqlite:///{course.root}/gradebook.db")


def _enter_veteran(course: Course, module: str) -> None:
    """Enter a student whose marks were given before, one of them by hand."""
    with _book(course) as book, warnings.catch_warnings():
        # nbgrader gives a submission its grades before it adds it; harmless.
        warnings.simplefilter("ignore", SAWarning)
        book.add_student("veteran", last_name="Veteran")
        book.add_submission(module, "veteran")
        grades = book.find_submission_notebook(*_place(course, module), "veteran").grades
        for grade in grades:
            grade.auto_score, grade.needs_manual_grade = 1.0, False
        grades[0].manual_score = 2.5
        book.db.commit()


def _place(course: Course, module: str) -> tuple[str, str]:
    return course.module(module).notebook, module


def _veteran(course: Course, module: str) -> dict:
    with _book(course) as book:
        notebook = book.find_submission_notebook(*_place(course, module), "veteran")
        marks = {g.name: (g.auto_score, g.manual_score, g.extra_credit) for g in notebook.grades}
        assignment = book.find_assignment(module)
        return {**marks, "max": assignment.max_score, "due": assignment.duedate}


def _boasts(found: Graded) -> dict[str, list[str]]:
    """Return what attacks showed to have done, from the graded notebooks."""
    boasts: dict[str, list[str]] = {}
    pattern = re.compile(rf"WON {found.ground.mark} (\w+): ([^\"\\]*)")
    for path in found.course.autograded.glob(f"*/{found.ground.module}/*.ipynb"):
        for name, claim in sorted(set(pattern.findall(path.read_text(errors="replace")))):
            boasts.setdefault(name, []).append(claim)
    return boasts


class Listener:
    """Waits for visitors on TCP, UDP and unix sockets, and tells at the end who came."""

    def __init__(self, base: Path) -> None:
        self.path = str(base / "socket")
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(tcp.getsockname())
        path, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
        path.bind(self.path)
        os.chmod(self.path, 0o777)
        abstract.bind(f"\0{base.name}")
        path.listen()
        abstract.listen()
        self.port = tcp.getsockname()[1]
        self._sockets = {"TCP": tcp, "UDP": udp, "unix": path, "abstract": abstract}

    def visits(self) -> list[str]:
        """Return the sockets that somebody has come to: the system keeps them waiting."""
        return [kind for kind, line in self._sockets.items() if select.select([line], [], [], 0)[0]]

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *error: object) -> None:
        for line in self._sockets.values():
            line.close()


def honest(found: Graded) -> Iterator[Row]:
    """Return the rows of the honest students."""
    yield from (row for name, row in found.rows.items() if name.startswith(("aa-", "zz-")))
