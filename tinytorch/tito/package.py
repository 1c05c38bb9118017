"""The package that ends before a module, which is what a student's code may import."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError

#: What a notebook imports besides the modules before it.
_SHARED = ("__init__.py", "datasets.py", "core/__init__.py", "data/digits.csv.gz", "data/README.md")
#: And whole packages: they know no update rule.
_FOLDERS = ("parallel", "profiling")
#: Of the checks: what drives a student's code, and what judges it.
_OBSERVING = ("checks/observe.py", "checks/wire.py")
_JUDGING = ("__init__", "cell", "inputs", "judge", "matchers", "report")
#: Of the tools, what a student works with.
_TOOLS = ("__init__.py", "errors.py", "start.py", "student", "text.py")


def build_package(course: Course, module: Module, *, judging: bool) -> Path:
    """Write the package that ends before a module.

    Where the reference could be imported, `from tinytorch.core.optimizers import SGD` would
    be a full solution. So a student's code gets the modules before the one under test, the
    checks and the data, and nothing else.

    Parameters
    ----------
    course, module
        Whose package, and where it ends.
    judging : bool
        Whether graded cells judge at once, as in a student's own notebook, whose tools are then
        there too. While grading they only observe, and the package holds no judging code.

    Returns
    -------
    Path
        The folder to put first on ``sys.path``.
    """
    target = course.package_before(module)
    if judging:
        target = course.package_for_students(module)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "package"
        _copy_package(course, module, judging, fresh / "tinytorch")
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    return target


def _copy_package(course: Course, module: Module, judging: bool, target: Path) -> None:
    origin = course.package
    before = [other for other in course.modules if other.name < module.name]
    modules = [other.file_in(origin).relative_to(origin) for other in before]
    checks = [*_OBSERVING, *(f"checks/{name}.py" for name in _JUDGING if judging)]
    folders = [path.relative_to(origin) for f in _FOLDERS for path in (origin / f).glob("*.py")]
    for name in [*map(Path, [*_SHARED, *checks]), *folders, *modules]:
        if not (origin / name).is_file():
            raise TitoError(f"{origin / name} is missing; make it with 'tito export --all'.")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin / name, target / name)
    if judging:
        _copy_tools(target / "tito")
    else:
        (target / "checks" / "__init__.py").write_text(
            '"""Observe; judging is done elsewhere."""\n'
        )


def _copy_tools(target: Path) -> None:
    """Copy the student's part of the tools that run here."""
    target.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _TOOLS:
        origin = Path(__file__).parent / name
        if origin.is_dir():
            shutil.copytree(origin, target / name, ignore=ignored)
        else:
            shutil.copy(origin, target / name)
