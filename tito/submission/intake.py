"""Locate and parse a submission.

What a student's editor, mail program or good intentions did to the file is met here, so that
every later step has a notebook of known shape: cells with a type, text and metadata, no outputs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tito.course import times
from tito.course.cells import KINDS, keep_shown, nbgrader_metadata, new_cell
from tito.errors import TitoError
from tito.submission.recognize import is_of
from tito.text import TooMuchError, printable, read_json

MAX_BYTES = 20_000_000
#: What a notebook's lists, mappings and numbers may take in memory, its text apart.
MAX_MEMORY = 100_000_000
MAX_CELLS = 2_000
#: How the flag begins of a submission that may be late or not.
UNCERTAIN_TIME = "timestamp.txt ignored, its time is not certain"
_DEEPEST_HEADING = 6
#: A notebook, also one that a browser or a mail program has given an ending of its own.
_NOTEBOOK = re.compile(r"(.*\.ipynb)(?:(?: ?\(\d+\))?\.(?:txt|json))?", re.IGNORECASE | re.DOTALL)
#: So much of a ``timestamp.txt`` is read; a time is shorter.
_MAX_TIME_TEXT = 100
_CLEAR = "Clear its outputs and save it again."
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class SubmissionError(TitoError):
    """A submission that cannot be graded, and what a person can do about it."""

    def __init__(self, student: str, problem: str, remedy: str) -> None:
        super().__init__(f"{student}: {problem}. {remedy}")
        self.student = student
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True)
class SubmissionFile:
    """The file that a student handed in."""

    #: Whose it is: the name of the folder.
    student: str
    #: The notebook's file.
    path: Path
    #: What is in it.
    data: bytes
    #: SHA-256 of that.
    digest: str
    #: What a person should know.
    flags: tuple[str, ...]
    #: When it was handed in (UTC), where a ``timestamp.txt`` says so.
    timestamp: datetime | None


def read_file(
    folder: Path,
    student: str,
    name: str,
    release: NotebookNode,
    zone: tzinfo = UTC,
    siblings: Collection[str] = (),
) -> SubmissionFile:
    """Locate the notebook in a student's folder and read its bytes; :func:`parse` looks into them.

    Parameters
    ----------
    folder, student
        The folder ``submitted/STUDENT/MODULE``, and whose it is, for messages.
    name : str
        The notebook's name as released, without suffix.
    release : NotebookNode
        The notebook as students received it; one of another name is recognized by its cells.
    zone : tzinfo
        The course's, for a time of submission that names none.
    siblings : collection of str
        The names of the assignment's other notebooks, if it has several. Where only of these
        some were handed in, this one counts as the release, in which nothing was written.

    Raises
    ------
    SubmissionError
        If there is no notebook, more than one that could be meant, or none that can be read.
    """
    try:
        if folder.is_symlink() or folder.parent.is_symlink():
            raise SubmissionError(
                student, f"{folder} is a link to {folder.resolve()}", "Put the folder itself there."
            )
        timestamp, noted = read_timestamp(folder, zone)
        if _is_missing(folder, name, siblings):
            path, data = folder / f"{name}.ipynb", nbformat.writes(release).encode()
            noted = (*noted, f"not handed in, counts as empty: {path.name}")
        else:
            path, flags = find(folder, student, name, release, siblings)
            data, noted = _read_bytes(path, student), (*flags, *noted)
    except OSError as error:
        # The student's folder, not only the module's in it: either may be closed.
        raise _unreadable(student, folder.parent, error) from error
    digest = hashlib.sha256(data).hexdigest()
    flags = tuple(map(printable, noted))  # they go into files, as text
    return SubmissionFile(student, path, data, digest, flags, timestamp)


def _is_missing(folder: Path, name: str, siblings: Collection[str]) -> bool:
    """Whether notebooks were handed in, and all that were are others of the assignment."""
    visible = (path for path in folder.iterdir() if not path.name.startswith("."))
    names = {path.name for path in visible if notebook_name(path.name)}
    return bool(names) and names <= {f"{other}.ipynb" for other in siblings}


def find(
    folder: Path,
    student: str,
    name: str,
    release: NotebookNode,
    siblings: Collection[str] = (),
) -> tuple[Path, tuple[str, ...]]:
    """Find the notebook that is meant; see :func:`read_file`."""
    exact = folder / f"{name}.ipynb"
    visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    of_others = {f"{other}.ipynb" for other in siblings}
    notebooks = [p for p in visible if notebook_name(p.name) and p.name not in of_others]
    others = [path for path in notebooks if path != exact]
    flags = tuple(f"another notebook, not graded: {path.name}" for path in others)
    # What is in it decides, not its name; where it stands alone, the one who rebuilds it looks.
    if exact in notebooks and not (others and _is_another_one(exact, student, release)):
        return exact, flags
    candidates, broken = _recognize(others, student, release)
    if exact in notebooks and len(candidates) != 1:
        return exact, flags
    if len(candidates) == 1:
        return candidates[0], (f"renamed: {candidates[0].name}",)
    names = ", ".join(path.name for path in candidates or visible)
    if candidates:
        raise SubmissionError(
            student,
            f"{exact.name} is missing, and several notebooks could be meant: {names}",
            f"Keep the right one in {folder} and name it {exact.name}.",
        )
    if len(broken) == 1:
        raise broken[0]
    raise SubmissionError(
        student,
        f"{exact.name} is missing; the folder holds {names or 'nothing'}",
        f"Ask for the notebook and put it into {folder}.",
    )


def notebook_name(name: str) -> str:
    """Return a file's name as a notebook's, without "(1).txt" behind it; "" if it is none."""
    match = _NOTEBOOK.fullmatch(name)
    return match[1] if match else ""


def _recognize(
    paths: list[Path], student: str, release: NotebookNode
) -> tuple[list[Path], list[SubmissionError]]:
    """Separate notebooks with the assignment's cells from what cannot be read."""
    candidates, broken = [], []
    for path in paths:
        try:
            notebook = parse(_read_bytes(path, student), student, path.name)
        except SubmissionError as error:
            broken.append(error)
            continue
        if is_of(release, notebook):
            candidates.append(path)
    return candidates, broken


def _is_another_one(path: Path, student: str, release: NotebookNode) -> bool:
    """Whether a file is a notebook that can be read, and not of the assignment."""
    return _recognize([path], student, release) == ([], [])


def read_timestamp(folder: Path, zone: tzinfo) -> tuple[datetime | None, tuple[str, ...]]:
    """Read when a submission was handed in, and what is to be noted where that is not certain.

    Returns
    -------
    datetime or None
        In UTC, without a zone, as in the gradebook. Where there is a doubt, the submission counts
        neither as late nor as in time: a person writes the time down.
    tuple of str
        The flag for that person.
    """
    path = folder / "timestamp.txt"
    if not path.is_file():
        return None, ()
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text = file.read(_MAX_TIME_TEXT + 1).strip()
    when = times.read_time(text, zone) if len(text) <= _MAX_TIME_TEXT else None
    if when is None:
        return None, (f"{UNCERTAIN_TIME}: {text[:40]!r}; write it as {times.EXAMPLE}",)
    return when.replace(tzinfo=None), ()


def _read_bytes(path: Path, student: str) -> bytes:
    """Read a file that is really one, lies in the folder and is not too large."""
    try:
        if not path.is_file():  # a folder, a pipe that would wait for ever, a broken link
            raise SubmissionError(student, f"{path.name} is not a file", "Ask for the notebook.")
        if not path.resolve().is_relative_to(path.parent.resolve()):
            raise SubmissionError(
                student,
                f"{path.name} is a link to {path.resolve()}",
                "Put the notebook itself there.",
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(student, path, error) from error
    if len(data) > MAX_BYTES:
        raise SubmissionError(
            student,
            f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB",
            _CLEAR,
        )
    return data


def _unreadable(student: str, path: Path, error: OSError) -> SubmissionError:
    remedy = f"Look at the permissions of {path}: chmod -R u+rX makes it readable."
    return SubmissionError(student, f"{path.name} cannot be read ({error.strerror})", remedy)


def parse(data: bytes, student: str, name: str) -> NotebookNode:
    """Read a notebook of any format version out of bytes.

    Returns
    -------
    NotebookNode
        Cells with type, text, nbgrader's metadata and attachments, and nothing else of the file;
        what the student's own code cells show is kept apart, see
        :func:`tito.course.cells.take_shown`.

    Raises
    ------
    SubmissionError
        If it is not a notebook; the message says where it breaks.
    """
    try:
        content = read_json(data, MAX_MEMORY)
        cells = _cells_of(content)
        plain = [_plain_cell(cell, number) for number, cell in enumerate(cells, 1)]
        return nbformat.v4.new_notebook(cells=list(_keep_ids(plain, cells)))
    except TooMuchError as error:
        raise SubmissionError(student, f"{name} is too large ({error})", _CLEAR) from error
    except (ValueError, RecursionError) as error:
        remedy = "Ask the student to open it in Jupyter, save it and hand it in again."
        raise SubmissionError(student, f"{name} is {_fault(error)}", remedy) from error


def _fault(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        case UnicodeDecodeError():
            return f"not UTF-8 text (byte {error.start})"
        case _NotANotebook():
            return f"not a notebook ({error})"
        case RecursionError():
            return "not a notebook (nested too deep)"
    return "not a notebook (a number has thousands of digits)"


class _NotANotebook(ValueError):
    """Valid JSON that is no notebook."""


def _cells_of(content: Any) -> list[Any]:
    """Return the raw cells of a notebook of any version."""
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise _NotANotebook("it has no format version")
    if content["nbformat"] > nbformat.current_nbformat:
        raise _NotANotebook(f"format {content['nbformat']} is newer than this program knows")
    if content["nbformat"] < nbformat.current_nbformat:
        try:
            old = json.loads(json.dumps(content), object_hook=_moderate)
            content = nbformat.convert(nbformat.from_dict(old), nbformat.current_nbformat)
        except MemoryError:
            raise  # this machine's fault; another one may have more
        except Exception as error:
            # nbformat takes old notebooks at their word. Where they lie it stumbles inside, over
            # whatever comes: so far ValidationError, UnboundLocalError, AssertionError,
            # OverflowError, KeyError. All of them say the same of the file.
            version = content["nbformat"]
            raise _NotANotebook(f"its format {version} cannot be upgraded") from error
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise _NotANotebook("it has no list of cells")
    if len(cells) > MAX_CELLS:
        raise _NotANotebook(f"{len(cells)} cells are more than {MAX_CELLS}")
    return cells


def _moderate(node: dict[str, Any]) -> dict[str, Any]:
    """Bound the level of a heading of format 3: it is written as so many "#", all in memory."""
    if isinstance(node.get("level"), int):
        node["level"] = min(node["level"], _DEEPEST_HEADING)
    return node


def _plain_cell(raw: Any, number: int) -> NotebookNode:
    """Keep of a cell what grading uses, in a known shape."""
    if not isinstance(raw, dict):
        raise _NotANotebook(f"cell {number} is not a mapping")
    source = raw.get("source", "")
    lines = source if isinstance(source, list) else [source]
    if not all(isinstance(line, str) for line in lines):
        raise _NotANotebook(f"the text of cell {number} is not text")
    # An unknown type is shown, and not run, as Jupyter does.
    kind = raw["cell_type"] if raw.get("cell_type") in KINDS else "raw"
    cell = new_cell(kind, "".join(lines).replace("\r\n", "\n"), f"submitted-{number}")
    if nbgrader := nbgrader_metadata(raw):
        cell.metadata.nbgrader = nbformat.from_dict(nbgrader)
    elif kind == "code":
        keep_shown(cell, raw.get("outputs"))
    attachments = raw.get("attachments")
    if kind != "code" and _are_attachments(attachments):
        cell.attachments = nbformat.from_dict(attachments)
    return cell


def _keep_ids(plain: Sequence[NotebookNode], cells: Sequence[dict[str, Any]]) -> Iterator[Any]:
    """Give cells the ids that they came with, by which they may be recognized."""
    taken = {cell.id for cell in plain}
    for cell, raw in zip(plain, cells, strict=True):
        own = raw.get("id")
        if isinstance(own, str) and _ID.fullmatch(own) and own not in taken:
            cell.id = own
            taken.add(own)
        yield cell


def _are_attachments(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(bundle, dict) and all(isinstance(data, str) for data in bundle.values())
        for bundle in value.values()
    )
