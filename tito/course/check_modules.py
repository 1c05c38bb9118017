"""The modules that a chapter's graded cells take their checks from, carried by its notebook.

They are files of the course's package, ``checks/for_NN_name``. The chapter's notebook carries their
text, so that whoever grades from it needs nothing else of the course.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from nbformat import NotebookNode

from tinytorch.checks import Checks
from tito.errors import TitoError

#: Where in the folder the modules are that go where submissions run.
EXERCISES = "exercises"
_OURS, _KEY = "tinytorch", "checks"

#: Text by the path below the folder.
Texts = Mapping[str, str]


def texts_in(folder: Path) -> dict[str, str]:
    """Return the modules in a chapter's folder; none where there is no folder."""
    paths = sorted(folder.rglob("*.py"))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}


def put_into(notebook: NotebookNode, texts: Texts) -> None:
    """Let a notebook carry modules."""
    if texts:
        notebook.metadata.setdefault(_OURS, NotebookNode())[_KEY] = NotebookNode(texts)


def texts_of(notebook: NotebookNode) -> dict[str, str]:
    """Return the modules that a notebook of the course carries."""
    return dict(notebook.metadata.get(_OURS, {}).get(_KEY, {}))


def take_out(notebook: NotebookNode) -> None:
    """Leave of the modules that a notebook carries what tells them from others."""
    texts = texts_of(notebook)
    if texts:
        notebook.metadata[_OURS][_KEY] = digest(texts)


def is_made_with(release: NotebookNode, texts: Texts) -> bool:
    """Whether a release was made where the checks were these."""
    return not texts or release.metadata.get(_OURS, {}).get(_KEY) == digest(texts)


def digest(texts: Texts) -> str:
    """Return what tells some modules from others."""
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def load(texts: Texts) -> dict[str, Checks]:
    """Run the modules of a chapter, which are the course's own, and return its checks.

    Returns
    -------
    dict of str to Checks
        By the name of the module.

    Raises
    ------
    TitoError
        If a module does not run, or two have checks of their own for one cell.
    """
    return _load(tuple(sorted(texts.items())))


def by_cell(texts: Texts) -> dict[str, Checks]:
    """Return the checks of a chapter by grade_id; see :func:`load`."""
    return {checks.grade_id: checks for checks in load(texts).values()}


@lru_cache(maxsize=16)
def _load(items: tuple[tuple[str, str], ...]) -> dict[str, Checks]:
    found: dict[str, Checks] = {}
    for module in _modules(dict(items)):
        checks = getattr(module, "checks", None)
        if isinstance(checks, Checks):
            found[module.__name__.rpartition(".")[2]] = checks
    cells = Counter(checks.grade_id for checks in {id(one): one for one in found.values()}.values())
    if twice := [name for name, count in cells.items() if count > 1]:
        raise TitoError(f"two modules have checks of their own for {twice[0]}; keep one of them.")
    return found


def _modules(texts: Texts) -> Iterator[ModuleType]:
    """Import modules from a folder that is theirs for as long as it takes."""
    package = f"_checks_{digest(texts)}"
    with tempfile.TemporaryDirectory(prefix="tito-checks-") as scratch:
        for name, text in texts.items():
            path = Path(scratch, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        init = Path(scratch, "__init__.py")
        init.touch()
        spec = importlib.util.spec_from_file_location(
            package, init, submodule_search_locations=[scratch]
        )
        assert spec is not None  # of a file with a loader
        sys.modules[package] = importlib.util.module_from_spec(spec)
        for name in texts:
            if "/" not in name and name != init.name:
                try:
                    yield importlib.import_module(f"{package}.{name.removesuffix('.py')}")
                except Exception as error:  # whatever a module of the course raises
                    raise TitoError(f"checks/{name}: {type(error).__name__}: {error}") from error


def exercises_needed(checks: Checks) -> dict[str, str]:
    """Return the modules that the parts of a cell need, each after those that it imports.

    Returns
    -------
    dict of str to str
        Paths below the chapter's folder by the name of the module.
    """
    needed: dict[str, str] = {}
    for part in checks.parts:
        _add(part.exercise.__module__, needed)
    return needed


def names_asked(checks: Checks, texts: Texts) -> set[str]:
    """Return the names of a student's notebook that a cell hands over, and its exercises use."""
    names = set(checks.names)
    for path in exercises_needed(checks).values():
        for node in ast.walk(ast.parse(texts[path])):
            match node:
                case ast.Attribute(value=ast.Name(id="student"), attr=name):
                    names.add(name)
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="student"), attr="get"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    names.add(name)
    return names


def _add(name: str, needed: dict[str, str]) -> None:
    package = name.rpartition(".")[0]
    if name in needed:
        return
    for value in list(vars(sys.modules[name]).values()):
        other = value.__name__ if isinstance(value, ModuleType) else _home(value)
        if other.startswith(f"{package}.") and other != name:
            _add(other, needed)
    needed[name] = f"{EXERCISES}/{name.rpartition('.')[2]}.py"


def _home(value: object) -> str:
    return str(getattr(value, "__module__", None) or "")
