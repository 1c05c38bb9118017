"""What an attack is: a hostile submission, the answers in it, and what it may cost its author."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.answers import BASES, forgery
from tests.odd_frames import SEND
from tests.submissions.notebook import Work

NOTEBOOK = "optimizers_dev.ipynb"

#: What every hostile cell knows: the attacker is granted all paths and a way to boast.
_PRELUDE = """
from contextlib import suppress

MARK, ROOT, HOME, PORT, SOCKET = {values}


def won(what, name={name!r}):
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
        Its own name, what it is about, and what it tries, in a sentence.
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
    again, once, drops_in : bool
        Where root grades: whether an ordinary user grades it too although it is about the kernel;
        not, although it is about the machine, since it takes long and it makes no difference; and
        whether nbgrader's own command does.
    """

    name: str
    family: str
    idea: str
    hand_in: HandIn
    base: str = "stubs"
    may_lose: bool = False
    publishes: bool = False
    gains: float = 0.0
    statuses: frozenset[str] = frozenset({"graded"})
    shares: bool = False
    again: bool = False
    once: bool = False
    drops_in: bool = False

    @property
    def student(self) -> str:
        """Who hands it in."""
        return f"attack-{self.family}-together" if self.shares else f"attack-{self.name}"


ATTACKS: dict[str, Attack] = {}


def _register(attack: Attack) -> None:
    if attack.name in ATTACKS:
        raise ValueError(f"the name of an attack must be its own, got {attack.name!r} twice")
    ATTACKS[attack.name] = attack


def hands_in(family: str, **more) -> Callable:
    """Make an attack of a function that writes a submission: (folder, work, ground) -> None."""

    def declare(function: HandIn) -> HandIn:
        idea = " ".join((function.__doc__ or "").split())
        _register(Attack(function.__name__, family, idea, function, **more))
        return function

    return declare


_BLOCK = re.compile(r"# %% (tool )?(\w+)(?:: (.*))?\n((?:# .*\n)*)((?:.*\n)*)")


def load(folder: Path) -> None:
    """Make attacks of the code in a folder's files, each of which is a family.

    A file holds blocks: ``# %% name: option, option=value``, the idea as a comment, and the code.
    ``# %% tool name`` begins code that attacks put before their own with ``tools=name+name``. An
    attack's code stands in a cell of its own before everything else; with ``cell=grade_id`` behind
    the answer in a solution cell. The other options are fields of :class:`Attack`.
    """
    tools = {"send": SEND.strip() + "\n"}
    for path in sorted(folder.glob("*.py")):
        _, *blocks = re.split(r"^(?=# %%)", path.read_text(), flags=re.MULTILINE)
        for tool, name, options, idea, code in (_BLOCK.fullmatch(b).groups() for b in blocks):
            if tool:
                tools[name] = code
            else:
                more = _options(options or "")
                hand_in = _written(name, code, more.pop("cell", ""), more.pop("tools", ""), tools)
                idea = " ".join(idea.replace("# ", "").split())
                _register(Attack(name, path.stem, idea, hand_in, **more))


def _options(text: str) -> dict:
    pairs = (option.partition("=") for option in text.split(", ") if option)
    found = {name: value or True for name, _, value in pairs}
    return {**found, "gains": float(found.get("gains", 0))}


def _written(name: str, code: str, cell: str, used: str, tools: dict[str, str]) -> HandIn:
    def hand_in(folder: Path, work: Work, ground: Ground) -> None:
        before = "\n".join(tools[tool] for tool in used.split("+") if tool)
        if "PUBLIC_ANSWERS" in before:
            before = forgery(work, before)
        text = ground.prelude(name) + before + "\n" + code
        if cell:
            work.put(cell, f"{work.cell(cell).source}\n\n\n{text}")
        else:
            work.insert_first(text).notebook.cells[0].id = name[:60]
        (folder / NOTEBOOK).write_text(work.text())

    return hand_in


def submit(attacks: list[Attack], folder: Path, work: Work, ground: Ground) -> None:
    """Write the submission of one attack, or of several that share it, into an empty folder."""
    BASES[attacks[0].base](work)
    for attack in attacks:
        attack.hand_in(folder, work, ground)


def as_json(work: Work) -> dict:
    """Return a notebook as the data of its file, for attacks that nbformat would not write."""
    return json.loads(work.text())
