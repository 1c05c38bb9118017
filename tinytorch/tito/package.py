"""The package that ends before a module, which is what a student's code may import."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tinytorch.tito.course import Course, Module
from tinytorch.tito.errors import TitoError
from tinytorch.tito.export import package_file

#: What a notebook imports besides the modules before it.
_SHARED = ("__init__.py", "datasets.py", "core/__init__.py")
_SHARED_FOLDERS = ("checks", "data")


def build_package(course: Course, module: Module) -> Path:
    """Write the package that ends before a module.

    Where the reference could be imported, `from tinytorch.core.optimizers import SGD` would
    be a full solution. So a student's code gets the modules before the one under test, the
    checks and the data, and nothing else.

    Returns
    -------
    Path
        The folder to put first on ``sys.path``.
    """
    target = course.package_before(module)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(scratch) / "package"
        _copy_package(course, module, fresh / "tinytorch")
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    return target


def _copy_package(course: Course, module: Module, target: Path) -> None:
    origin = course.package
    before = [other for other in course.modules if other.name < module.name]
    modules = [package_file(origin, other).relative_to(origin) for other in before]
    files = [*map(Path, _SHARED), *modules]
    for name in files:
        if not (origin / name).is_file():
            raise TitoError(f"{origin / name} is missing; make it with 'tito export --all'.")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin / name, target / name)
    for folder in _SHARED_FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(origin / folder, target / folder, ignore=ignored)
