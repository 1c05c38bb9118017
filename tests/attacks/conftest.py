"""Each family of attacks is graded as one class, two classes at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attacks import (  # noqa: F401 - each registers its attacks
    deceiving,
    forging,
    handing_in,
    harming,
    messages,
    poisoning,
    reading,
)
from tests.attacks.attack import ATTACKS, Attack
from tests.attacks.classroom import Graded, grade_class, lean_course
from tests.attacks.leftovers import remove_tree

#: The longest first.
FAMILIES = ["harming", "forging", "messages", "handing_in", "poisoning", "reading"]


def _selected(session: pytest.Session) -> dict[str, list[Attack]]:
    """Return the attacks that the selected tests are about, by family.

    A family whose tests are selected without any single attack is graded as a whole.
    """
    asked: dict[str, list[Attack]] = {}
    for item in session.items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        if isinstance(values.get("attack"), Attack):
            attack = values["attack"]
            asked.setdefault(attack.family, []).append(attack)
    for item in session.items:
        family = getattr(getattr(item, "callspec", None), "params", {}).get("family")
        if family in FAMILIES and family not in asked:
            asked[family] = [a for a in ATTACKS.values() if a.family == family]
    return {family: list(dict.fromkeys(asked[family])) for family in FAMILIES if family in asked}


@pytest.fixture(scope="session")
def graded(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Graded]]:
    """Return what became of a family's class, by the name of the family."""
    asked = _selected(request.session)
    # Short paths: sockets of kernels have names of at most 107 characters.
    folders = {name: Path(tempfile.mkdtemp(prefix="ta-")) for name in ("lean", *asked)}
    try:
        lean = lean_course(folders["lean"])
        with ThreadPoolExecutor(2) as pool:
            classes: dict[str, Future[Graded]] = {
                family: pool.submit(grade_class, lean, attacks, folders[family])
                for family, attacks in asked.items()
            }
            yield lambda family: classes[family].result()
    finally:
        for folder in folders.values():
            remove_tree(folder)
