"""What of a cell outlives it besides the names that it binds, by the syntax tree.

Whoever asks leaves cells out that cannot matter, so this is on the safe side: what it does not
know, it names. What it cannot see (a class that is changed where an argument or a call gave it, a
library's objects) is what the audit of a run is for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass
class Traces:
    """What a cell may leave behind.

    Attributes
    ----------
    opaque : list of str
        Why nothing can be said of the names that it uses.
    given : list of (str, str)
        What can be changed in place and becomes a part of what is there without the cell: the name
        of that, and what to say. Without a name, memory with what others left in it.
    lasting : list of str
        What its functions and classes may leave behind when they are called.
    changes : list of str
        What it changes as it runs, besides its own names.
    objects : set of str
        Names that it binds to what can be changed in place.
    aliases : set of str
        Those of its names that stand for what is there without it, such as a class.
    kept_in : set of str
        Names whose objects its classes and defaults hold on to.
    draws : list of (bool, str)
        Shared random numbers that it draws, which matter where somebody gives them a seed: whether
        a function does, and what to say.
    seeds : bool
        Whether it asks what makes them for anything else.
    """

    opaque: list[str] = field(default_factory=list)
    given: list[tuple[str, str]] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    objects: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    kept_in: set[str] = field(default_factory=set)
    draws: list[tuple[bool, str]] = field(default_factory=list)
    seeds: bool = False

    def where_seeded(self) -> Traces:
        """Return the traces where somebody gives shared random numbers a seed."""
        lasting = [where for in_function, where in self.draws if in_function]
        changes = [where for in_function, where in self.draws if not in_function]
        return replace(self, lasting=self.lasting + lasting, changes=self.changes + changes)
