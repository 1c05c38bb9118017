"""The bundle: one zip with all that a student needs, and nothing of the solution."""

from __future__ import annotations

import ast
import gzip
import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from nbformat import NotebookNode
from packaging.requirements import Requirement

from tinytorch import __version__
from tito.authoring.package import build_package
from tito.authoring.release import release
from tito.authoring.rules import secret_lines
from tito.authoring.rules.each_cell import parsed
from tito.authoring.rules.leaks import passages_of, secret_passages
from tito.authoring.source import read_source
from tito.course import Course, Module
from tito.errors import TitoError
from tito.student.notebook import BUILDS_ON

#: What the wheel needs, and what comes with its extra `lab`.
_NEEDS = (
    *("numpy", "matplotlib", "click", "rich", "watchfiles"),
    *("ipykernel", "nbclient", "nbformat"),
)
_LAB = ("jupyterlab", "nbgrader")
#: Files in the bundle that are made from templates; the last is for a module with points.
_PAGES = ("README.md", "Makefile", "AGENTS.md")
_TEMPLATES = Path(__file__).parent / "templates" / "bundle"
#: Sets the time of all files, in seconds since 1970, for whoever builds; hatchling reads it too.
_EPOCH = "SOURCE_DATE_EPOCH"


def bundle(course: Course, module: Module) -> Path:
    """Make the zip that students get.

    It holds the release, a wheel with the package that ends before the module, the checks and
    the student's commands, the versions that are known to work, and how to start. Of an earlier
    module that students write themselves it holds nothing: they export their own.

    Returns
    -------
    Path
        The zip; the same course gives the same bytes.

    Raises
    ------
    TitoError
        If no release can be made, or a line of a solution or rubric has got into the bundle.
    """
    course.require_package()
    return pack(course, module, release(course, module) / f"{module.notebook}.ipynb")


def pack(course: Course, module: Module, released: Path) -> Path:
    """Make the zip of a release that is there; see :func:`bundle`."""
    target = course.root / "build" / "bundles" / f"{module.name}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    sources = {other: read_source(other.source, course.checks(other)) for other in course.modules}
    builds_on = _builds_on(sources, module)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch) / module.name
        folder.mkdir()
        shutil.copy(released, folder)
        shutil.copy(course.root / "LICENSE", folder)
        shutil.copy(course.root / "constraints.txt", folder)
        time = _time(module)
        project = Path(scratch) / "project"
        extras, optional = extras_of(course, sources[module]), _optional(course, sources[module])
        _write_project(course, module, released, project, builds_on, extras, optional)
        wheel = _build_wheel(project, folder, time)
        facts = {"module": module, "wheel": wheel.name, "builds_on": builds_on}
        facts["optional"] = optional
        has_points = bool(secret_lines(sources[module]))
        for name in _PAGES if has_points else _PAGES[:-1]:
            text = _fill(name, has_points=has_points, **facts)
            (folder / name).write_text(text, encoding="utf-8")
        if module.policy.is_file():
            shutil.copy(module.policy, folder)
        fresh = Path(scratch) / target.name
        _write_zip(folder, fresh, time)
        _refuse_leaks(course, module, sources, builds_on, fresh)
        fresh.replace(target)
    return target


def _time(module: Module) -> int:
    """Return the time of all files, the same whenever the zip is made: the source's last change."""
    given = os.environ.get(_EPOCH, "")
    return int(given) if given.isdecimal() else int(module.source.stat().st_mtime)


def _fill(name: str, **values: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # plain text, not HTML
    )
    return environment.get_template(f"{name}.j2").render(version=__version__, **values)


def _write_project(
    course: Course,
    module: Module,
    released: Path,
    project: Path,
    builds_on: Mapping[str, str],
    extras: Sequence[str],
    optional: Mapping[str, Sequence[str]],
) -> None:
    """Write a student's package, with the release it is compared with, as a project to build."""
    shutil.copytree(build_package(course, module, judging=True), project)
    inside = project / "tito" / "student" / "released" / module.name
    inside.mkdir(parents=True)
    shutil.copy(released, inside)
    (inside / BUILDS_ON).write_text(json.dumps(builds_on), encoding="utf-8")
    for name in builds_on:
        project.joinpath(*name.split(".")).with_suffix(".py").unlink()
    shutil.copy(course.root / "LICENSE", project)
    shutil.copytree(_TEMPLATES / "etc", project / "etc")
    known = _requirements(course)
    text = _fill(
        "pyproject.toml",
        module=module,
        package=course.package.name,
        needs=json.dumps([known[name] for name in _NEEDS]),
        extras={"lab": [*(known[name] for name in _LAB), *extras], **optional},
    )
    (project / "pyproject.toml").write_text(text, encoding="utf-8")


def _builds_on(sources: Mapping[Module, NotebookNode], module: Module) -> dict[str, str]:
    """Return the earlier modules that students write, and the notebooks they write them in."""
    return {
        other.exports_to: f"{other.notebook}.ipynb"
        for other, source in sources.items()
        if other.name < module.name and secret_lines(source)
    }


def _build_wheel(project: Path, folder: Path, time: int) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = os.environ | {_EPOCH: str(time)}
    subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def _requirements(course: Course) -> dict[str, str]:
    """Return what the course's own installation needs, by name; a student's needs no other."""
    requirements = [
        Requirement(text) for text in importlib.metadata.requires(course.distribution) or ()
    ]
    return {one.name: f"{one.name}{one.specifier}" for one in requirements if one.marker is None}


def extras_of(course: Course, source: NotebookNode) -> list[str]:
    """Return what the shared parts of the package that a notebook imports need: their extras.

    A part and its extra in ``pyproject.toml`` have one name, such as `parallel`.
    """
    nodes = _nodes(source)
    names = {
        f"{n.module}.{a.name}" for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names
    }
    names |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    parts = {name.removeprefix(f"{course.package.name}.").split(".")[0] for name in names}
    extras = "|".join(re.escape(path.stem) for path in course.shared if path.stem in parts)
    marker = re.compile(rf"(;| and) extra == ['\"]({extras})['\"]")
    texts = importlib.metadata.requires(course.distribution) or ()
    return [marker.sub("", text) for text in texts if extras and marker.search(text)]


def _optional(course: Course, source: NotebookNode) -> dict[str, list[str]]:
    """Return the extras of the course that a notebook does without, and what they need.

    It looks for their libraries with ``find_spec("numba")``.
    """
    calls = [n for n in _nodes(source) if isinstance(n, ast.Call) and n.args]
    names = {
        call.args[0].value
        for call in calls
        if ast.unparse(call.func).endswith("find_spec") and isinstance(call.args[0], ast.Constant)
    }
    found: dict[str, list[str]] = {}
    for text in importlib.metadata.requires(course.distribution) or ():
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", text)
        if extra and Requirement(text).name in names:
            found[extra[1]] = [text.partition(";")[0].strip()]
    return found


def _nodes(source: NotebookNode) -> list[ast.AST]:
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    return [node for cell in code for node in ast.walk(parsed(cell))]


def _write_zip(folder: Path, target: Path, time: int) -> None:
    """Pack a folder: sorted, with one time and one mode for all files."""
    when = datetime.fromtimestamp(time, UTC).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            info = zipfile.ZipInfo(str(path.relative_to(folder.parent)), when)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            packed.writestr(info, path.read_bytes())


def _refuse_leaks(
    course: Course,
    module: Module,
    sources: Mapping[Module, NotebookNode],
    builds_on: Collection[str],
    packed: Path,
) -> None:
    """Stop where a line of a solution or rubric of this module, or a later one, is in a zip.

    What a module in it says too is no secret. Of an earlier module, whose ways a later one may
    use, a passage is; a line is not.
    """
    secrets: set[str] = set()
    given: set[str] = set()
    passages: set[tuple[str, ...]] = set()
    for other, source in sources.items():
        if other.name >= module.name:
            secrets |= secret_lines(source)
        elif other.exports_to in builds_on:
            passages |= secret_passages(source)
        else:
            exported = [path.read_text() for path in other.files_in(course.package)]
            given |= {line.strip() for text in exported for line in text.split("\n")}
    secrets -= given
    leaks = [
        f"  {name}: {line}"
        for name, text in texts_in(packed.read_bytes(), packed.name)
        for line in sorted(secrets & {line.strip() for line in text.split("\n")})
        + sorted(run[0] for run in passages.intersection(passages_of(text)))
    ]
    if leaks:
        raise TitoError("\n".join([f"the bundle of {module.name} gives solutions away:", *leaks]))


def texts_in(data: bytes, name: str) -> Iterator[tuple[str, str]]:
    """Give each text in a file and where it is, with zips, gzips and notebooks unpacked."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for inner in packed.namelist():
                yield from texts_in(packed.read(inner), f"{name}/{inner}")
    elif data[:2] == b"\x1f\x8b":
        yield from texts_in(gzip.decompress(data), name)
    else:
        text = data.decode("utf-8", "replace")
        yield name, text
        if name.endswith(".ipynb"):
            yield name, "\n".join(_strings(json.loads(text)))


def _strings(value: object) -> Iterator[str]:
    """Give every string of a JSON value, with the escapes undone."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
