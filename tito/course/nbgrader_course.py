"""A plain course of nbgrader's: its folders, named by its ``nbgrader_config.py``, and no package.

``source/ASSIGNMENT/*.ipynb`` are the assignments; each may have several notebooks. Nothing of ours
needs to be there: what grading notes goes into ``records/ASSIGNMENT/NOTEBOOK``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import ClassVar, NoReturn

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from tito.course.course import Course, Module
from tito.course.judged_by import JudgedBy
from tito.errors import TitoError, UnknownModuleError, UsageError

_CONFIG = "nbgrader_config.py"
_SQLITE = "sqlite:///"
#: Where a kernel looks for what is to lie in its working folder; see :mod:`tito.kernels.shell`.
_WORK = "work"


@dataclass(frozen=True)
class Notebook(Module):
    """One notebook of an assignment."""

    @property
    def title(self) -> str:
        """The assignment, and the notebook where it has several."""
        return f"{self.name}/{self.notebook}" if self.siblings else self.name

    @cached_property
    def siblings(self) -> frozenset[str]:
        """The names of the other notebooks of its assignment."""
        names = (path.stem for path in self.source.parent.glob("*.ipynb"))
        return frozenset(names) - {self.notebook}

    @property
    def answers(self) -> tuple[str, ...]:
        """Nothing: the solution is in no package."""
        return ()

    @property
    def exports(self) -> tuple[str, ...]:
        """Nothing: no package is made of it."""
        return ()

    @property
    def policy(self) -> Path:
        """A file that is not there."""
        return self.source.with_name("AGENTS.md")


@dataclass(frozen=True)
class NbgraderCourse(Course):
    """A folder with nbgrader's configuration and sources."""

    judged_by: ClassVar[JudgedBy] = "asserts"

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder is the root of a course of this kind."""
        return (folder / _CONFIG).is_file() and cls(folder)._source.is_dir()

    @cached_property
    def _directory(self) -> CourseDirectory:
        """The folders and the gradebook, as nbgrader has them from its configuration."""
        path = self.root / _CONFIG
        try:
            config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
            directory = CourseDirectory(config=config)
        except Exception as error:  # whatever a configuration raises, which is a program
            raise TitoError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
        if "root" not in config.CourseDirectory:
            directory.root = str(self.root)
        elif Path(directory.root).resolve() != self.root.resolve():
            raise TitoError(
                f"c.CourseDirectory.root is {directory.root} in {path}; put {_CONFIG} into that "
                "folder, and work there."
            )
        usual = CourseDirectory.directory_structure.default_value
        if directory.directory_structure != usual:
            raise TitoError(
                f"c.CourseDirectory.directory_structure is {directory.directory_structure!r} in "
                f"{path}; these tools know {usual!r} alone."
            )
        return directory

    @cached_property
    def _source(self) -> Path:
        return self.root / self._directory.source_directory

    @property
    def release(self) -> Path:
        """What students receive."""
        return self.root / self._directory.release_directory

    @property
    def submitted(self) -> Path:
        """What students hand in: ``STUDENT/ASSIGNMENT/NOTEBOOK.ipynb``."""
        return self.root / self._directory.submitted_directory

    @property
    def autograded(self) -> Path:
        """The graded notebooks."""
        return self.root / self._directory.autograded_directory

    @property
    def feedback(self) -> Path:
        """The pages that go back to students."""
        return self.root / self._directory.feedback_directory

    @property
    def records(self) -> Path:
        """What grading noted of each submission, and its logs."""
        return self.root / "records"

    def records_of(self, module: Module) -> Path:
        """Return the folder with the records of a notebook."""
        return self.records / module.name / module.notebook

    def source_notebook(self, module: Module) -> Path:
        """Return the source of a notebook: itself."""
        return module.source

    def checks(self, module: Module) -> Path:
        """Return a folder that is not there: a cell's own assertions are its checks."""
        return self.records_of(module) / "checks"

    @property
    def package(self) -> Path:
        """There is none."""
        self._refuse_package()

    @property
    def distribution(self) -> str:
        """What brings the tools."""
        (command, *_) = entry_points(group="console_scripts", name="tito")
        return command.dist.name if command.dist else "tito"

    @property
    def shared(self) -> list[Path]:
        """Nothing: there is no package."""
        return []

    def package_before(self, module: Module) -> None:
        """Return no folder: there is no package."""

    def package_for_students(self, module: Module) -> Path:
        """There is none."""
        self._refuse_package()

    def require_package(self) -> None:
        """Refuse: there is none."""
        self._refuse_package()

    def _refuse_package(self) -> NoReturn:
        raise UsageError(
            f"{self.root} is a plain course of nbgrader's, without a package that students build; "
            "tito release, lint, collect, extend, drop, grade, feedback, scores, overview, status "
            "and doctor are for it."
        )

    def files_for_grading(self, module: Module) -> dict[str, bytes]:
        """Read what lies beside the notebooks in the source: nbgrader lays it beside a submission.

        A kernel finds it in its working folder.
        """
        folder = module.source.parent
        ignored = [*self._directory.ignore, "*.ipynb"]
        paths = sorted(Path(path) for path in find_all_files(str(folder), ignored))
        return {f"{_WORK}/{path.relative_to(folder)}": path.read_bytes() for path in paths}

    @cached_property
    def modules(self) -> list[Module]:
        """All notebooks of all assignments, by name."""
        paths = self._source.glob("*/*.ipynb")
        return [Notebook(path) for path in sorted(paths) if not path.parent.name.startswith(".")]

    def module(self, name: str) -> Module:
        """Find a notebook by its assignment's name, or by ``ASSIGNMENT/NOTEBOOK``.

        Raises
        ------
        UnknownModuleError
            If there is none; the message lists the choices.
        """
        assignment, _, notebook = name.partition("/")
        for module in self.modules:
            if module.name == assignment and notebook in ("", module.notebook):
                return module
        names = ", ".join(dict.fromkeys(module.name for module in self.modules))
        known = f"The assignments are: {names}." if names else f"{self._source} holds none."
        raise UnknownModuleError(f"There is no assignment {name!r}. {known}")

    def assignment(self, name: str) -> list[Module]:
        """Return the notebooks of an assignment, or the one that is named ASSIGNMENT/NOTEBOOK."""
        found = self.module(name)
        if "/" in name:
            return [found]
        return [module for module in self.modules if module.name == found.name]

    def nbgrader_config(self) -> Config:
        """Load ``nbgrader_config.py``, and fill in what it need not say."""
        directory = self._directory
        config = PyFileConfigLoader(_CONFIG, path=str(self.root)).load_config()
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.db_url = self._absolute(directory.db_url)
        limits = config.ExecuteSubmission
        if "secret_folders" not in limits:
            limits.secret_folders = [str(self.root), str(self.submitted)]
        if "fonts" not in limits:
            limits.fonts = str(self.records / ".fonts")
        for section in (config.Execute, config.ExecutePreprocessor):
            if "timeout" not in limits and isinstance(section.get("timeout"), (int, float)):
                limits.timeout = float(section.timeout)
        _let_alembic_be_found()
        return config

    def _absolute(self, db_url: str) -> str:
        """Return a gradebook's address, which may be relative to the course, as it is everywhere.

        So commands may be called from a folder inside of the course.
        """
        if not db_url.startswith(_SQLITE):
            return db_url
        return _SQLITE + str(self.root / db_url.removeprefix(_SQLITE))


def _let_alembic_be_found() -> None:
    """Put this Python's programs on the path: nbgrader calls alembic by name for a gradebook."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])
