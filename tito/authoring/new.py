"""A new module: a skeleton that is whole from the start, to be rewritten cell by cell."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import Path

from tito.authoring.rules.layout import FOLDER
from tito.course import Course, Module
from tito.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LAST = 99
_TEMPLATES = Path(__file__).parent / "templates"


def create(course: Course, name: str) -> Module:
    """Write the source and the checks of a new module, which keeps every rule and passes them.

    It is called ``09_schedules``, or ``schedules`` for the next free number.

    Raises
    ------
    UsageError
        If the name is taken or could not be the name of a Python module.
    """
    number, topic = _parsed(name)
    taken = _taken(course)
    if topic in taken:
        raise UsageError(f"{name!r} is taken by {taken[topic]}; choose another name.")
    folder = f"{number or _next_number(course)}_{topic}"
    same = [module.name for module in course.modules if module.name[:3] == folder[:3]]
    if same:
        raise UsageError(f"the number of {name!r} is taken by {same[0]}; leave it out.")
    source = course.root / "modules" / "source" / folder / f"{topic}_dev.py"
    if course.checks(Module(source)).exists():
        raise UsageError(f"{course.checks(Module(source))} exists already; choose another name.")
    try:
        source.parent.mkdir()
    except FileExistsError:
        raise UsageError(f"{source.parent} exists already; choose another name.") from None
    for template, target in _files(course, Module(source)):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(template, folder, topic), encoding="utf-8")
    return Module(source)


def _parsed(name: str) -> tuple[str, str]:
    """Take a name apart into its number, if it has one, and its topic."""
    numbered = FOLDER.fullmatch(name)
    number, topic = (numbered["number"], numbered["name"]) if numbered else ("", name)
    if not _NAME.fullmatch(topic) or keyword.iskeyword(topic):
        raise UsageError(
            f"a module's name must be lower-case words joined by underscores, such as "
            f"'schedules' or '09_weight_decay', got {name!r}."
        )
    return number, topic


def _taken(course: Course) -> dict[str, str]:
    """Return the names that modules and the package have, each with its owner."""
    core = (course.package / "core").glob("*.py")
    owners = {path.stem: f"{course.package.name}.core.{path.stem}" for path in core}
    return owners | {
        match["name"]: module.name
        for module in course.modules
        if (match := FOLDER.fullmatch(module.name))
    }


def _next_number(course: Course) -> str:
    numbers = [int(m["number"]) for x in course.modules if (m := FOLDER.fullmatch(x.name))]
    number = max(numbers, default=0) + 1
    if number > _LAST:
        raise UsageError(f"there is no number after {_LAST}; name one, such as '09_schedules'.")
    return f"{number:02d}"


def _files(course: Course, module: Module) -> Iterator[tuple[Path, Path]]:
    """Give the templates of a module, its source and its checks, each with where it goes."""
    yield _TEMPLATES / "module_dev.py.txt", module.source
    checks = _TEMPLATES / "checks"
    for path in sorted(checks.rglob("*.py.txt")):
        yield path, course.checks(module) / path.relative_to(checks).with_suffix("")


def _filled(template: Path, folder: str, topic: str) -> str:
    title = topic.replace("_", " ").capitalize()
    values = {"folder": folder, "name": topic, "title": title}
    text = template.read_text(encoding="utf-8")
    return re.sub("@(folder|name|title)@", lambda match: values[match[1]], text)
