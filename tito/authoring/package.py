"""The package that ends before a module, which is what a student's code may import."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tito.course import Course, Module
from tito.course.files import put_in_place
from tito.errors import TitoError, UsageError

#: Of the checks: what exercises a student's code, and what judges it.
_OBSERVING = tuple(f"checks/{x}.py" for x in ("observe", "origin", "publish", "student", "wire"))
_JUDGING = ("__init__", "cell", "inputs", "judge", "matchers", "problem", "report")
#: What demonstrations find in the place of a module of checks where submissions run.
_NOT_JUDGED = """from tinytorch.checks.student import NotJudged

checks = NotJudged()
"""
_CACHES = shutil.ignore_patterns("__pycache__")
#: Of the tools, what a student works with.
_TOOLS = ("__init__.py", "__main__.py", "errors.py", "student", "text.py")


def build_package(course: Course, module: Module, *, judging: bool) -> Path:
    """Write the package that ends before a module.

    Where the reference could be imported, an import of it would be a full solution. So a student's
    code gets the modules before the one under test, the checks, what ``settings.ini`` says is
    shared, and nothing else.

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
    target = course.package_for_students(module) if judging else course.package_before(module)
    if target is None:
        raise UsageError(f"{course.root} is a course without a package.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "package"
        _copy_package(course, module, judging, fresh / course.package.name)
        if judging:
            _copy_tools(fresh / "tito")
        put_in_place(fresh, target, Path(scratch))
    return target


def _copy_package(course: Course, module: Module, judging: bool, target: Path) -> None:
    origin = course.package
    before = [other for other in course.modules if other.name < module.name]
    modules = [path for other in before for path in other.files_in(origin)]
    inits = {module.files_in(origin)[0].with_name("__init__.py"), origin / "__init__.py"}
    inits |= {path.with_name("__init__.py") for path in modules}
    checks = [*_OBSERVING, *(f"checks/{name}.py" for name in _JUDGING if judging)]
    shared = [path for place in course.shared for path in _files(place)]
    for path in [*inits, *(origin / name for name in checks), *shared, *modules]:
        if not path.is_file():
            raise TitoError(f"{path} is missing; make it with 'tito export --all'.")
        copy = target / path.relative_to(origin)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    own = course.checks(module)
    if judging and own.is_dir():
        shutil.copytree(own, target / "checks" / own.name, ignore=_CACHES)
    if not judging:
        (target / "checks" / "__init__.py").write_text(
            '"""Observe; judging is done elsewhere."""\n'
        )
        for path in own.glob("*.py"):
            copy = target / "checks" / own.name / path.name
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(_NOT_JUDGED)


def _files(place: Path) -> list[Path]:
    """Return a file, or the files of a folder."""
    inside = place.rglob("*") if place.is_dir() else [place]
    return [path for path in inside if "__pycache__" not in path.parts and not path.is_dir()]


def _copy_tools(target: Path) -> None:
    """Copy the student's part of the tools that run here."""
    target.mkdir()
    for name in _TOOLS:
        origin = Path(__file__).parents[1] / name
        if origin.is_dir():
            shutil.copytree(origin, target / name, ignore=_CACHES)
        else:
            shutil.copy(origin, target / name)
