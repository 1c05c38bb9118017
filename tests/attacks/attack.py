"""What an attack is: a hostile submission, the answers in it, and what it may cost its author."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.answers import BASES, forgery
from tests.submissions.notebook import Work

NOTEBOOK = "optimizers_dev.ipynb"

#: What every hostile cell knows: the attacker is granted all paths and a way to boast.
_PRELUDE = """
MARK, ROOT, HOME, PORT, SOCKET = {values}


def won(what, name={name!r}):
    from IPython.display import display

    display({{"text/plain": f"WON {{MARK}} {{name}}: {{what}}"}}, raw=True)


"""


@dataclass(frozen=True)
class Ground:
    """Where an attack takes place.

    Attributes
    ----------
    mark : str
        In the name of every file and process that an attack leaves; short enough for a
        process's name.
    root, home : Path
        The course, and the home folder of whoever grades.
    port, socket : int, str
        Where a listener waits for visitors: TCP and UDP on 127.0.0.1, and a unix socket.
    """

    mark: str
    root: Path
    home: Path
    port: int
    socket: str

    def prelude(self, name: str) -> str:
        """Return the first lines of an attack's cell."""
        values = (self.mark, str(self.root), str(self.home), self.port, self.socket)
        return _PRELUDE.format(values=values, name=name)


HandIn = Callable[[Path, Work, Ground], None]


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes
    ----------
    name, family, idea : str
        The function that makes it, what it is about, and the function's docstring.
    base : str
        The answers in it; see :data:`tests.attacks.answers.BASES`.
    hand_in : callable
        Writes the submission into a folder.
    may_lose : bool
        Whether fewer points than the honest ones are right, because the attack breaks its
        author's own process.
    publishes : bool
        Whether it answers with the public expected values: that earns the parts for which these
        are right on every input, and nothing else.
    gains : float
        Points that it may get beyond these; not zero only where the idea says why.
    statuses : set of str
        What grading may call the submission.
    shares : bool
        Whether it stands in one notebook with others of its family, to save time: attacks that
        look for something and change nothing for each other.
    """

    name: str
    family: str
    idea: str
    base: str
    hand_in: HandIn
    may_lose: bool = False
    publishes: bool = False
    gains: float = 0.0
    statuses: frozenset[str] = frozenset({"graded"})
    shares: bool = False

    @property
    def student(self) -> str:
        """Who hands it in."""
        return f"attack-{self.family}-together" if self.shares else f"attack-{self.name}"


ATTACKS: dict[str, Attack] = {}


def _register(function: Callable, family: str, hand_in: HandIn, base: str, **more) -> None:
    name = function.__name__
    if name in ATTACKS:
        raise ValueError(f"the name of an attack must be its own, got {name!r} twice")
    idea = " ".join((function.__doc__ or "").split())
    ATTACKS[name] = Attack(name, family, idea, base, hand_in, **more)


def runs(
    family: str,
    base: str = "stubs",
    cell: str | None = None,
    forges: bool = False,
    replaces: bool = False,
    **more,
) -> Callable:
    """Make an attack of a function that returns code.

    Parameters
    ----------
    family, base, **more
        See :class:`Attack`.
    cell : str, optional
        The solution cell that the code goes into, behind the answer; by default it stands in
        a cell of its own before everything else.
    forges : bool
        Whether the code uses the tools of :func:`tests.attacks.answers.forgery`.
    replaces : bool
        Whether the code stands in the place of the cell's answer.
    """

    def declare(function: Callable[[], str]) -> Callable[[], str]:
        def hand_in(folder: Path, work: Work, ground: Ground) -> None:
            tools = forgery(work) if forges else ""
            code = ground.prelude(function.__name__) + tools + textwrap.dedent(function())
            if cell is None:
                work.insert_first(code).notebook.cells[0].id = function.__name__[:60]
            else:
                answer = "" if replaces else work.cell(cell).source + "\n\n\n"
                work.put(cell, answer + code)
            (folder / NOTEBOOK).write_text(work.text())

        _register(function, family, hand_in, base, **more)
        return function

    return declare


def hands_in(family: str, base: str = "stubs", **more) -> Callable:
    """Make an attack of a function that writes a submission: (folder, work, ground) -> None."""

    def declare(function: HandIn) -> HandIn:
        _register(function, family, function, base, **more)
        return function

    return declare


def submit(attacks: list[Attack], folder: Path, work: Work, ground: Ground) -> None:
    """Write the submission of one attack, or of several that share it, into an empty folder."""
    BASES[attacks[0].base](work)
    for attack in attacks:
        attack.hand_in(folder, work, ground)


def as_json(work: Work) -> dict:
    """Return a notebook as the data of its file, for attacks that nbformat would not write."""
    return json.loads(work.text())
