"""The zip for Gradescope: everything that grades an assignment, the answers among it."""

from __future__ import annotations

import importlib.metadata
import json
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import tinytorch
import tito
from tito.authoring.bundle import extras_of
from tito.authoring.releases import read_release
from tito.authoring.source import read_source
from tito.autograde import prepare
from tito.course import Course, Module
from tito.course.cells import is_autograded
from tito.course.gradebook import open_gradebook
from tito.hand_in.hand_in_results import Options

_TEMPLATES = Path(__file__).with_name("templates")
_SCRIPTS = ("setup.sh", "run_autograder")
#: Of the time that a host gives a run: for all that is not the student's.
_OVERHEAD_SECONDS = 60


@dataclass(frozen=True)
class Made:
    """What was made: the zip, the seed of its fresh inputs, and the points that it gives."""

    path: Path
    seed: int
    points: float


def write_autograder(
    course: Course,
    module: Module,
    options: Options,
    seed: int | None = None,
    isolation: str = "user",
    seconds: int = 600,
) -> Made:
    """Make the zip of a release.

    Parameters
    ----------
    course, module
        What is graded.
    options : Options
        Who sees what.
    seed : int, optional
        Repeats the fresh inputs of an earlier zip; drawn at random by default.
    isolation : str
        The weakest isolation of students' code that is accepted in the container.
    seconds : int
        How long the host lets a run take.

    Raises
    ------
    TitoError
        If there is no release, or it is not that of the source.
    """
    course.require_package()
    prepare.check(course, module)
    seed = secrets.randbits(48) if seed is None else seed
    config = course.nbgrader_config()
    limits = config.ExecuteSubmission
    limits.isolation, limits.secret_folders, limits.fonts = isolation, [], ""
    patience = limits.get("patience", 4)
    longest = max(1.0, (seconds - _OVERHEAD_SECONDS) / patience)
    limits.submission_timeout = min(limits.get("submission_timeout", 300), longest)
    with open_gradebook(course, config) as book:
        assignment = prepare.assignment(course, module, config, book, seed)
    files = {
        "assignment": assignment.packed(),
        "options.json": json.dumps(asdict(options), indent=1).encode() + b"\n",
        "requirements.txt": "".join(f"{one}\n" for one in _requirements(course, module)).encode(),
        "constraints.txt": (course.root / "constraints.txt").read_bytes(),
        **{name: (_TEMPLATES / name).read_bytes() for name in _SCRIPTS},
        **dict(_tools()),
    }
    target = course.root / "build" / "autograders" / f"{module.name}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_zip(target, files)
    graded = filter(is_autograded, read_release(course.released(module)).cells)
    return Made(target, seed, sum(cell.metadata.nbgrader.points for cell in graded))


def _requirements(course: Course, module: Module) -> Iterator[str]:
    """Give what the course needs, without its extras but for those that the notebook imports."""
    texts = importlib.metadata.requires(course.distribution) or ()
    yield from (text.partition(";")[0].strip() for text in texts if "extra ==" not in text)
    yield from extras_of(course, read_source(module.source, course.checks(module)))


def _tools() -> Iterator[tuple[str, bytes]]:
    """Give the tools, which are not installed: students' code reads what is."""
    for package in (tinytorch, tito):
        folder = Path(package.__file__ or "").parent
        for path in sorted(folder.rglob("*.py")):
            yield f"tools/{folder.name}/{path.relative_to(folder)}", path.read_bytes()


def _write_zip(target: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name in _SCRIPTS else 0o100644) << 16
            packed.writestr(info, data)
