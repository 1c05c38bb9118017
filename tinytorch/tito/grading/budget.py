"""How much a cell may show."""

from __future__ import annotations

import json
from typing import Any

from tinytorch.checks.observe import OBSERVATION_TYPE

_TEXT = ("stream", "error")
_RICH = ("display_data", "execute_result", "update_display_data")
#: Kinds of kernel messages that are outputs.
OUTPUTS = (*_TEXT, *_RICH)
#: A graded cell has some dozens; doubled ones must be seen to be doubled.
_MAX_OBSERVATIONS = 500
#: What an output costs besides its content.
_COST = 200


class OutputBudget:
    """Counts the outputs of one cell while they arrive.

    Text and figures have budgets of their own, so that a print in a loop does not take a figure
    along; and observations, by which a cell earns its points, are not drowned by either.

    Parameters
    ----------
    text : int
        Characters that may be printed; figures and other rich outputs may have ten times that.
    """

    def __init__(self, text: int) -> None:
        self._limit = text
        self._left = {"text": text, "rich": 10 * text}
        self._observations = _MAX_OBSERVATIONS
        self._instead = ""

    def allows(self, kind: str, content: dict[str, Any]) -> bool:
        """Count an output; whether it is still within the budget."""
        self._instead = ""
        if kind in _RICH and self._is_observation(content.get("data")):
            return True
        pot = "rich" if kind in _RICH else "text"
        text = content["text"] if kind == "stream" else ""
        size = len(text) if text else _size(content.get("data", content))
        before = self._left[pot]
        self._left[pot] -= size + _COST
        if self._left[pot] >= 0:
            return True
        if before >= 0:
            what = "printed text" if pot == "text" else "figures"
            note = f"\n[{what} of this cell beyond its limit was dropped]\n"
            self._instead = text[:before] + note
        return False

    def instead(self) -> str:
        """Return what to show for an output that was refused: something the first time only."""
        return self._instead

    def _is_observation(self, data: Any) -> bool:
        if not isinstance(data, dict) or OBSERVATION_TYPE not in data or not self._observations:
            return False
        self._observations -= 1
        return _size(data) <= self._limit


def _size(data: Any) -> int:
    """Estimate the characters of a bundle of data."""
    if not isinstance(data, dict):
        return 0
    return sum(len(v) if isinstance(v, str) else len(json.dumps(v)) for v in data.values())
