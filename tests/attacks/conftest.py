"""Attacks are graded in few classes, three at a time; each test looks at what became of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.attacks import handing_in  # noqa: F401 - registers its attacks
from tests.attacks.attack import ATTACKS, Attack, load
from tests.attacks.classroom import Graded, grade_class, lean_course
from tests.attacks.leftovers import remove_tree

load(Path(__file__).parent / "notebooks")

#: Attacks on the machine wait more than they compute; those in the kernel do not.
HALVES = {
    "kernel": ("deceiving", "forging", "messages", "shapes"),
    "machine": ("ending", "harming", "handing_in", "poisoning", "reading"),
}
#: The other assignments, by number: a class each, which whoever tests grades.
OTHERS = {"10": "10_modern_optimizers"}
FAMILIES = sorted({*(family for half in HALVES.values() for family in half), "ranks"})


class Seat(NamedTuple):
    """One attack, graded by somebody or by nbgrader's own command, in one of the classes."""

    user: str
    attack: Attack
    number: str = "08"

    @property
    def room(self) -> tuple[str, str]:
        """The class: the user who grades it, and its half of 08, or the other assignment."""
        if self.user == "nbgrader":
            return self.user, "drop-in"
        if self.number in OTHERS:
            return self.user, OTHERS[self.number]
        return self.user, next(h for h in HALVES if self.attack.family in HALVES[h])

    def __str__(self) -> str:
        number = "" if self.number == "08" else f"-{self.number}"
        return f"{self.user}-{self.attack.family}-{self.attack.name}{number}"


def module_of(room: tuple[str, str]) -> str:
    """Return the assignment of a class."""
    return room[1] if room[1] in OTHERS.values() else "08_optimizers"


def seats() -> list[Seat]:
    """Return everything that is graded."""
    dropped_in = [
        Seat("nbgrader", attack)
        for attack in ATTACKS.values()
        if attack.drops_in or attack.family == "reading"
    ]
    me = "root" if os.getuid() == 0 else "me"
    here = [Seat(me, attack, n) for attack in ATTACKS.values() for n in attack.through]
    if me == "me":
        return here + dropped_in
    again = [
        attack
        for attack in ATTACKS.values()
        if attack.again or (attack.family in HALVES["machine"] and not attack.once)
    ]
    others = [Seat("somebody", attack) for attack in again]
    return here + others + dropped_in


def rooms() -> list[tuple[str, str]]:
    """Return all classes, those that take longest first."""
    order = ["machine", "kernel", *OTHERS.values(), "drop-in"]
    return sorted({seat.room for seat in seats()}, key=lambda room: (order.index(room[1]), room))


def _selected(session: pytest.Session) -> dict[tuple[str, str], list[Attack]]:
    """Return the attacks that the selected tests are about, by class.

    A class whose tests are selected without any single attack is graded as a whole.
    """
    asked: dict[tuple[str, str], list[Attack]] = {}
    given = [getattr(getattr(item, "callspec", None), "params", {}) for item in session.items]
    for seat in (values["seat"] for values in given if "seat" in values):
        asked.setdefault(seat.room, []).append(seat.attack)
    for room in {values["room"] for values in given if "room" in values} - asked.keys():
        asked[room] = [seat.attack for seat in seats() if seat.room == room]
    return {room: list(dict.fromkeys(asked[room])) for room in rooms() if room in asked}


@pytest.fixture(scope="session")
def graded(request: pytest.FixtureRequest) -> Iterator[Callable[[tuple[str, str]], Graded]]:
    """Return what became of a class."""
    asked = _selected(request.session)
    # Short paths: sockets of kernels have names of at most 107 characters.
    modules = {module_of(room) for room in asked}
    folders = {name: Path(tempfile.mkdtemp(prefix="ta-")) for name in (*modules, *asked)}
    try:
        lean = {module: lean_course(folders[module], module) for module in modules}
        with ThreadPoolExecutor(3) as pool:
            classes: dict[tuple[str, str], Future[Graded]] = {
                room: pool.submit(
                    grade_class,
                    *(lean[module_of(room)], module_of(room), attacks, folders[room], room[0]),
                )
                for room, attacks in asked.items()
            }
            yield lambda room: classes[room].result()
    finally:
        for folder in folders.values():
            remove_tree(folder)
