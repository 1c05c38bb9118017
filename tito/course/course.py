"""The course on disk: where things are, which modules there are, and what they are called."""

from __future__ import annotations

import stat
from configparser import ConfigParser, SectionProxy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tito.course.judged_by import JudgedBy
from tito.errors import TitoError, UnknownModuleError
from tito.student.notebook import named_module, named_modules


@dataclass(frozen=True)
class Module:
    """One module of the course and the percent source it is made from."""

    source: Path

    @property
    def name(self) -> str:
        """The folder's name, such as ``03_schedules``; nbgrader's assignment."""
        return self.source.parent.name

    @property
    def notebook(self) -> str:
        """The notebook's name without suffix, such as ``schedules_dev``."""
        return self.source.stem

    @property
    def title(self) -> str:
        """How people are told of it."""
        return self.name

    @property
    def siblings(self) -> frozenset[str]:
        """The names of the other notebooks of its assignment: here, none."""
        return frozenset()

    @property
    def policy(self) -> Path:
        """The course's own ``AGENTS.md`` for students' AI assistants, where it has one."""
        return self.source.with_name("AGENTS.md")

    @property
    def answers(self) -> tuple[str, ...]:
        """The package modules that the solution is in; no student's code may import them."""
        return (self.exports_to,)

    @cached_property
    def exports_to(self) -> str:
        """The package module that nbdev makes of it, such as ``tinytorch.core.schedules``."""
        module = named_module(self.source.read_text())
        if module is None:
            raise TitoError(
                f"{self.source} says nowhere what it exports to; "
                "its first code cell needs a line '#| default_exp core.NAME'."
            )
        return module

    @property
    def exports(self) -> tuple[str, ...]:
        """All package modules that are made of it, its own first."""
        named = (self.exports_to, *named_modules(self.source.read_text()))
        return tuple(dict.fromkeys(named))

    def files_in(self, package: Path) -> list[Path]:
        """Return the files below a package's folder that the module exports to, its own first."""
        paths = (package.joinpath(*name.split(".")[1:]) for name in self.exports)
        return [path.with_suffix(".py") for path in paths]


@dataclass(frozen=True)
class Course:
    """A checkout of the course; every path the tools use starts here."""

    root: Path

    #: How its graded cells are judged; see :mod:`tito.scoring.judging`.
    judged_by: ClassVar[JudgedBy] = "parts"

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Find the course that holds a folder, by default the working directory.

        Raises
        ------
        TitoError
            If no folder above is a course of either kind: this one's, with ``settings.ini`` and
            ``modules/source``, or a plain one of nbgrader's.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if Course.is_in(folder):
                return Course(folder)
            if (folder / "nbgrader_config.py").is_file():
                from tito.course.nbgrader_course import NbgraderCourse  # which imports nbgrader

                if NbgraderCourse.is_in(folder):
                    return NbgraderCourse(folder)
        raise TitoError(
            f"{here} is not inside a course: no folder above it holds settings.ini and "
            "modules/source, or nbgrader_config.py and nbgrader's folder of sources. Change into "
            "the course's folder first."
        )

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder is the root of a course of this kind."""
        return (folder / "settings.ini").is_file() and (folder / "modules" / "source").is_dir()

    @cached_property
    def _settings(self) -> SectionProxy:
        """What ``settings.ini`` says; nbdev itself finds it by the working directory alone."""
        settings = ConfigParser()
        settings.read(self.root / "settings.ini")
        return settings["DEFAULT"]

    @cached_property
    def package(self) -> Path:
        """The package that the sources are exported to: `lib_path` in ``settings.ini``."""
        return self.root / self._settings["lib_path"]

    def require_package(self) -> None:
        """Refuse what needs a package that students build, in a course that has none."""

    @property
    def distribution(self) -> str:
        """What the course is installed as: `lib_name` in ``settings.ini``."""
        return self._settings["lib_name"]

    @property
    def shared(self) -> list[Path]:
        """What notebooks use of the package besides modules: `shared` in ``settings.ini``."""
        return [self.package / name for name in self._settings.get("shared", "").split()]

    def checks(self, module: Module) -> Path:
        """Return the folder of a module's checks; see :mod:`tito.course.check_modules`."""
        return self.package / "checks" / f"for_{module.name}"

    @property
    def notebooks(self) -> Path:
        """The sources as notebooks; nbgrader's source directory. No percent source lies there."""
        return self.root / "build" / "notebooks"

    @property
    def release(self) -> Path:
        """What students receive."""
        return self.root / "modules" / "release"

    @property
    def submitted(self) -> Path:
        """What students hand in: ``STUDENT/MODULE/NOTEBOOK.ipynb``."""
        return self.root / "modules" / "submitted"

    @property
    def autograded(self) -> Path:
        """The graded notebooks."""
        return self.root / "modules" / "autograded"

    @property
    def feedback(self) -> Path:
        """The pages that go back to students."""
        return self.root / "modules" / "feedback"

    @property
    def records(self) -> Path:
        """What grading noted of each submission, and its logs."""
        return self.root / "modules" / "records"

    def records_of(self, module: Module) -> Path:
        """Return the folder with the records of a module."""
        return self.records / module.name

    @property
    def roster(self) -> Path:
        """Who is in the class, where somebody has put the file there."""
        return self.root / "roster.csv"

    def source_notebook(self, module: Module) -> Path:
        """Return the source of a module as a notebook."""
        return self.notebooks / module.name / f"{module.notebook}.ipynb"

    def released(self, module: Module) -> Path:
        """Return the notebook of a module that students received."""
        return self.release / module.name / f"{module.notebook}.ipynb"

    def students(self, module: Module) -> list[str]:
        """Return who has a submission of a module, also one in a folder that is closed."""
        if not self.submitted.is_dir():
            return []
        folders = (path for path in self.submitted.iterdir() if not path.name.startswith("."))
        return sorted(path.name for path in folders if _may_be_a_folder(path / module.name))

    def package_before(self, module: Module) -> Path | None:
        """Folder with a package that ends before `module`, in a course that has a package.

        It goes first on ``sys.path`` where a student's code is graded, so that neither the
        reference solution nor the judging code can be imported.
        """
        return self.root / "build" / "package" / module.name

    def files_for_grading(self, module: Module) -> dict[str, bytes]:
        """Read what a student's code finds where it is graded: the package before `module`.

        Raises
        ------
        TitoError
            If it was not made.
        """
        package = self.package_before(module)
        if package is None or not package.is_dir():
            raise TitoError(
                f"the package before {module.name} is missing; "
                f"make it with 'tito release {module.name}'."
            )
        files = sorted(path for path in package.rglob("*") if path.is_file())
        return {
            str(path.relative_to(package)): path.read_bytes()
            for path in files
            if path.suffix != ".pyc"
        }

    def package_for_students(self, module: Module) -> Path:
        """Folder with the same package and the judging of graded cells, for students' own use."""
        return self.root / "build" / "student" / module.name

    @cached_property
    def modules(self) -> list[Module]:
        """All modules, in the order of the course."""
        sources = sorted((self.root / "modules" / "source").glob("*/*_dev.py"))
        return [Module(source) for source in sources]

    def module(self, name: str) -> Module:
        """Find a module by its name or an unambiguous part of it.

        What follows the number is a whole name, though another module's contains it.

        Raises
        ------
        UnknownModuleError
            If no module fits or more than one; the message lists the choices.
        """
        exact = [m for m in self.modules if name in (m.name, m.name.partition("_")[2])]
        fitting = exact or [module for module in self.modules if name and name in module.name]
        if len(fitting) == 1:
            return fitting[0]
        names = ", ".join(module.name for module in fitting or self.modules)
        if fitting:
            raise UnknownModuleError(f"{name!r} fits several modules: {names}. Name one of them.")
        raise UnknownModuleError(f"There is no module {name!r}. The modules are: {names}.")

    def assignment(self, name: str) -> list[Module]:
        """Return the notebooks of an assignment, which :meth:`module` finds: here, it alone."""
        return [self.module(name)]

    def nbgrader_config(self) -> Config:
        """Load ``nbgrader_config.py`` from the root of the course."""
        path = self.root / "nbgrader_config.py"
        if not path.is_file():
            raise TitoError(
                f"{path} is missing; restore it with 'git checkout nbgrader_config.py'."
            )
        return PyFileConfigLoader(path.name, path=str(path.parent)).load_config()


def _may_be_a_folder(path: Path) -> bool:
    """Whether a folder is there, or one that is closed is in the way of looking."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def problem_with_id(student: str) -> str | None:
    """Say why a folder's name cannot be a student's id, or None where it can."""
    if any(not char.isprintable() for char in student):  # line ends, undecodable bytes
        return "it holds characters that cannot be printed"
    if student != student.strip():
        return "it begins or ends with a space"
    if len(student) > 128 or len(student.encode()) > 240:
        return "it is longer than 128 characters"
    return None
