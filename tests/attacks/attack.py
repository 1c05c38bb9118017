"""What an attack is: a hostile submission, the answers in it, and what it may cost its author."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.attacks.answers import BASES, LAST_CLASSES, forgery
from tests.odd_frames import SEND
from tests.submissions.notebook import Work

NOTEBOOK = "optimizers_dev.ipynb"

#: What every hostile cell knows: the attacker is granted all paths and a way to boast.
_PRELUDE = """
import atexit, ctypes, fcntl, gc, glob, json, os, pathlib, pwd, resource, signal, site, socket
import sqlite3, struct, subprocess, sys, tempfile, threading, time
from contextlib import suppress

MARK, ROOT, HOME, PORT, SOCKET, MODULE, LAST = {values}


def won(what, name={name!r}):
    display({{"text/plain": f"WON {{MARK}} {{name}}: {{what}}"}}, raw=True)


def bear_the_mark():
    pathlib.Path("/proc/self/comm").write_text(MARK)


"""


class Ground(NamedTuple):
    """Where an attack takes place."""

    #: In the name of every file and process that an attack leaves; short, for the latter.
    mark: str
    root: Path
    #: The home folder of whoever grades.
    home: Path
    #: Where a listener waits: TCP and UDP on 127.0.0.1, and a unix socket.
    port: int
    socket: str
    #: The assignment.
    module: str

    def prelude(self, name: str) -> str:
        """Return the first lines of an attack's cell."""
        values = (self.mark, str(self.root), str(self.home), self.port, self.socket, self.module)
        values += (LAST_CLASSES[self.module],)
        return _PRELUDE.format(values=values, name=name)


HandIn = Callable[[Path, Work, Ground], None]


@dataclass(frozen=True)
class Attack:
    """One hostile submission: its name, what it is about, and what it tries, in a sentence."""

    name: str
    family: str
    idea: str
    #: Writes the submission into a folder.
    hand_in: HandIn
    #: The answers in it: see tests.attacks.answers.BASES.
    base: str = "stubs"
    #: The numbers of the assignments through which it is tried.
    through: tuple[str, ...] = ("08",)
    #: Whether it may earn less than these, because it breaks its author's own process.
    may_lose: bool = False
    #: Whether it answers with the public expected values: that earns the parts for which these
    #: are right on every input, and nothing else.
    publishes: bool = False
    #: Points that it may get beyond these; not zero only where the idea says why.
    gains: float = 0.0
    #: What grading may call the submission.
    statuses: frozenset[str] = frozenset({"graded"})
    #: Whether it stands in one notebook with others of its family, to save time: attacks that
    #: look for something and change nothing for each other.
    shares: bool = False
    #: Where root grades: whether an ordinary user grades it too although it is about the kernel;
    #: not, although it is about the machine, since it takes long and makes no difference; and
    #: whether nbgrader's own command does.
    again: bool = False
    once: bool = False
    drops_in: bool = False

    @property
    def student(self) -> str:
        """Who hands it in."""
        return f"attack-{self.family}-together" if self.shares else f"attack-{self.name}"


ATTACKS: dict[str, Attack] = {}


def register(name: str, family: str, idea: str, hand_in: HandIn, **more) -> None:
    """Add an attack, whose name must be its own."""
    if name in ATTACKS:
        raise ValueError(f"the name of an attack must be its own, got {name!r} twice")
    ATTACKS[name] = Attack(name, family, " ".join(idea.split()), hand_in, **more)


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
                register(name, path.stem, idea.replace("# ", ""), hand_in, **more)


def _options(text: str) -> dict:
    pairs = (option.partition("=") for option in text.split(", ") if option)
    found = {name: value or True for name, _, value in pairs}
    if "through" in found:
        found["through"] = tuple(found["through"].split("+"))
    return {**found, "gains": float(found.get("gains", 0))}


def _written(name: str, code: str, cell: str, used: str, tools: dict[str, str]) -> HandIn:
    def hand_in(folder: Path, work: Work, ground: Ground) -> None:
        before = "\n".join(tools[tool] for tool in used.split("+") if tool)
        if "PUBLIC_ANSWERS" in before:
            before = forgery(before, ground.module)
        text = ground.prelude(name) + before + "\n" + code
        if cell:
            work.put(cell, f"{work.cell(cell).source}\n\n\n{text}")
        else:
            work.insert_first(text).notebook.cells[0].id = name[:60]
        (folder / work.file).write_text(work.text())

    return hand_in


def submit(attacks: list[Attack], folder: Path, work: Work, ground: Ground) -> None:
    """Write the submission of one attack, or of several that share it, into an empty folder."""
    BASES[attacks[0].base](work)
    for attack in attacks:
        attack.hand_in(folder, work, ground)
