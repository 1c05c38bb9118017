"""How much a cell may show, and a whole notebook."""

from __future__ import annotations

import json
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from tinytorch.checks.publish import OBSERVATION_TYPE

_TEXT = ("stream", "error")
_RICH = ("display_data", "execute_result")
#: Of a notebook, in what one of its cells may print; and of one cell.
PER_NOTEBOOK = {"text": 4, "rich": 12, "observations": 12}
PER_CELL = {"text": 1, "rich": 10, "observations": 12}
#: A graded cell has some dozens; doubled ones must be seen to be doubled.
_MAX_OBSERVATIONS = 500
#: What an output costs besides its content.
_COST = {"text": 200, "rich": 1000, "observations": 1000}
#: What a value costs in memory besides its text; so many of a bundle are in the cost above.
_VALUE, _FREE = 200, 20
_WORDS = {"text": "printed text", "rich": "figures"}
_NOTE = "\n[{} of this cell beyond its limit was dropped]\n"


class OutputBudget:
    """Counts the outputs of a notebook, cell by cell, while they arrive.

    Text and figures have budgets of their own, so that a print in a loop does not take a figure
    along; and observations, by which a cell earns its points, are not drowned by either. All have
    one for the cell and one for the notebook.

    Parameters
    ----------
    text : int
        Characters that a cell may print.

    Attributes
    ----------
    is_cut : bool
        Whether the last output was refused, and somebody should know of it.
    """

    def __init__(self, text: int) -> None:
        self._text = text
        self._notebook = {pot: times * text for pot, times in PER_NOTEBOOK.items()}
        self.begin()

    def begin(self, asked: bool = False, silent: bool = False) -> None:
        """Begin a cell.

        Parameters
        ----------
        asked : bool
            Whether it is a graded one that is asked: nowhere else do observations count.
        silent : bool
            Whether nothing that it shows is kept.
        """
        self._cell = {pot: times * self._text for pot, times in PER_CELL.items()}
        self._observations = _MAX_OBSERVATIONS
        self._asked, self._silent = asked, silent
        self._instead, self.is_cut = "", False

    def keeps(self, output: NotebookNode) -> NotebookNode | None:
        """Count an output; return what is kept of it, which may be a note in its place."""
        kind = output.output_type
        if self._allows(kind, output):
            return output
        instead, self._instead = self._instead, ""
        return new_output("stream", name="stdout", text=instead) if instead else None

    def _allows(self, kind: str, content: dict[str, Any]) -> bool:
        """Count an output; whether it is still within the budget."""
        data = content.get("data", content)
        is_observation = kind in _RICH and OBSERVATION_TYPE in data
        self._instead, self.is_cut = "", False
        if self._silent or (is_observation and not self._asked):
            return False
        metadata = content.get("metadata", {}) if kind in _RICH else {}
        beside = _size(metadata) + _structure(metadata)
        if is_observation:
            self._observations -= 1
            size = _size(data) + beside
            self.is_cut = self._observations < 0 or not self._takes("observations", size)
        elif kind in _RICH:
            self.is_cut = not self._takes("rich", _size(data) + _structure(data) + beside)
        elif kind == "stream":
            self.is_cut = not self._takes("text", len(content["text"]), content["text"])
        else:
            self.is_cut = not self._takes("text", _size(data))
        return not self.is_cut

    def _takes(self, pot: str, size: int, text: str = "") -> bool:
        """Take from a budget; of a text that is too long, the beginning."""
        left = min(self._cell[pot], self._notebook[pot])
        self._cell[pot] -= size + _COST[pot]
        if size + _COST[pot] <= left:
            self._notebook[pot] -= size + _COST[pot]
            return True
        if left >= 0 and pot in _WORDS:
            self._notebook[pot] -= len(text[:left])
            self._instead = text[:left] + _NOTE.format(_WORDS[pot])
        return False


def _size(data: dict[str, Any]) -> int:
    """Count the characters of a bundle of data."""
    return sum(
        len(key) + (len(value) if isinstance(value, str) else len(json.dumps(value)))
        for key, value in data.items()
    )


def _structure(data: dict[str, Any]) -> int:
    """Return what the values of a bundle cost besides their text: many can be empty."""
    return _VALUE * max(0, _count(data) - _FREE)


def _count(value: Any) -> int:
    if not isinstance(value, (dict, list)):
        return 1
    return 1 + sum(map(_count, value.values() if isinstance(value, dict) else value))
