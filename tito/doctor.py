"""Checks of the machine and the course, each with its remedy."""

from __future__ import annotations

import gzip
import os
import platform
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_core.paths import jupyter_config_path
from jupyter_server.extension.config import ExtensionConfigManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tito.course import Course
from tito.errors import TitoError
from tito.gradebook import status
from tito.sandbox import levels
from tito.student.notebook import named_modules

_FORMGRADER = "nbgrader.server_extensions.formgrader"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str
    remedy: str = ""


def examine(course: Course) -> list[Finding]:
    """Look at everything the tools need."""
    return [
        _python(course),
        *_packages(course),
        _kernel(),
        _isolation(course),
        *_data(course),
        *_modules(course),
        *_folders(course),
        _gradebook(course),
        _formgrader(),
    ]


def _python(course: Course) -> Finding:
    version = platform.python_version()
    wanted = metadata.metadata(course.distribution)["Requires-Python"]
    fits = SpecifierSet(wanted).contains(version, prereleases=True)
    return Finding(fits, f"Python {version} (needs {wanted})", f"install Python {wanted}")


def _packages(course: Course) -> Iterator[Finding]:
    for line in metadata.requires(course.distribution) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = "not installed"
        fits = version != "not installed" and requirement.specifier.contains(version)
        what = f"{requirement.name} {version} (needs {requirement.specifier or 'any'})"
        wanted = f"{requirement.name}{requirement.specifier}"
        yield Finding(fits, what, f"{sys.executable} -m pip install '{wanted}'")


def _kernel() -> Finding:
    try:
        KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(
            False, "the kernel python3", f"{sys.executable} -m ipykernel install --sys-prefix"
        )
    return Finding(True, "the kernel python3")


def _isolation(course: Course) -> Finding:
    """Try, as a grading run does, what students' code could get at."""
    sources = (module.source.read_text() for module in course.modules)
    answers = [name for source in sources for name in named_modules(source)]
    isolation = levels.examine(secret_folders=[course.root, course.submitted], answers=answers)
    by = f", bubblewrap {isolation.version} in {isolation.bwrap}" if isolation.bwrap else ""
    leaks = f": {'; '.join(isolation.leaks)}" if isolation.leaks else ""
    what = f"isolation of students' code: {isolation.level}{by}{leaks}"
    remedy = f"apt-get install bubblewrap, or accept it: tito grade --isolation {isolation.level}"
    return Finding(isolation.level == "full", what, remedy)


def _data(course: Course) -> Iterator[Finding]:
    """Read what the course shares with students: a packed file holds its own checksum."""
    for path in course.shared:
        try:
            for packed in path.rglob("*.gz"):
                gzip.decompress(packed.read_bytes())
            path.stat()
        except (OSError, EOFError, zlib.error) as error:
            yield Finding(False, f"{path} is shared: {error}", f"git checkout {path}")
        else:
            yield Finding(True, f"{path} is shared")


def _modules(course: Course) -> Iterator[Finding]:
    for module in course.modules:
        try:
            state = status.exported(course, module)
        except TitoError as error:
            yield Finding(False, f"{module.name}: {error}", f"edit {module.source}")
            continue
        if state == "-":
            continue
        ok = state == "yes"
        what = f"{module.exports_to} is what {module.source.name} gives"
        yield Finding(ok, what, f"tito export {module.name}")


def _folders(course: Course) -> Iterator[Finding]:
    for folder in dict.fromkeys((course.root, course.records.parent)):
        writable = os.access(folder, os.W_OK)
        yield Finding(writable, f"{folder} can be written to", f"chmod u+w {folder}")


def _gradebook(course: Course) -> Finding:
    url = course.nbgrader_config().CourseDirectory.get("db_url", "")
    if not url.startswith("sqlite:///"):
        return Finding(True, "the gradebook is on a server")
    path = Path(url.removeprefix("sqlite:///"))
    if not path.exists():
        return Finding(True, f"{path.name}: none yet; 'tito release' makes it")
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            state = connection.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        state = str(error)
    return Finding(state == "ok", f"{path.name}: {state}", f"restore a copy of {path}")


def _formgrader() -> Finding:
    """Look whether Jupyter loads the extension in which written answers are marked."""
    settings = ExtensionConfigManager(read_config_path=jupyter_config_path())
    on = settings.get_jpserver_extensions().get(_FORMGRADER, False)
    remedy = f"{sys.executable} -m jupyter server extension enable --sys-prefix {_FORMGRADER}"
    return Finding(on, "formgrader is on in Jupyter, for marking by hand", remedy)
