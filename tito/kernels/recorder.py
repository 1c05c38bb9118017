"""The outputs of one cell, made of frames as they arrive."""

from __future__ import annotations

from collections.abc import Callable

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output

from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.kernels.capture import SHORT
from tito.kernels.frames import OUTPUT_FIELDS, Frame

#: As nbgrader says it, of an error that IPython has told as text or not at all.
_NOT_SHOWN = "ERROR: An error occurred while showtraceback was disabled"


class Recorder:
    """Records what a cell shows, as a notebook holds it.

    Parameters
    ----------
    keeps : callable
        As in :class:`~tito.kernels.kernel_protocol.Limits`.

    """

    def __init__(self, keeps: Callable[[NotebookNode], NotebookNode | None]) -> None:
        self._keeps = keeps
        self._clears, self._errors = False, 0
        self._outputs: list[NotebookNode] = []
        # To join a text with each piece would take the square of the time.
        self._pieces: dict[int, list[str]] = {}
        self._named: dict[str, list[NotebookNode]] = {}

    def take(self, frame: Frame) -> None:
        """Take an output, an update of some or the word that all go."""
        kind, name = frame["kind"], frame.get("display_id")
        if kind == "clear_output":
            self._clears = True
            if not frame["wait"]:
                self._clear()
            return
        if kind == "update_display_data" and name not in self._named:
            return
        self._errors += kind == "error"
        made = output_of(frame)
        kept = self._keeps(made)
        if kept is None:
            return
        if name and kept is made:
            for output in self._named.get(name, ()):
                output.update(data=made.data, metadata=made.metadata)
            if kind == "update_display_data":
                return
        self._add(kept, name)

    @property
    def outputs(self) -> list[NotebookNode]:
        """What was kept so far."""
        for output in self._outputs:
            if pieces := self._pieces.get(id(output)):
                output.text = "".join(pieces)
                pieces[:] = [output.text]
        return self._outputs

    def end(self, frame: Frame) -> None:
        """Tell the error of a cell, if it has not shown it or if that was not kept."""
        if frame["error"] is None:
            return
        shown = [one.ename for one in self._outputs if one.output_type == "error"]
        if frame["error"][0] not in shown:
            ename, evalue = (text[:SHORT] for text in frame["error"])
            lines = [f"{ename}: {evalue}" if self._errors else _NOT_SHOWN]
            self._outputs.append(new_output("error", ename=ename, evalue=evalue, traceback=lines))

    def _add(self, output: NotebookNode, name: str | None) -> None:
        if self._clears:
            self._clear()
        if output.output_type == "stream":
            # Into how many pieces a text is cut is a matter of time; displays tell them apart.
            for last in reversed(self._outputs):
                if last.output_type != "stream":
                    break
                if last.name == output.name:
                    self._pieces[id(last)].append(output.text)
                    return
            self._pieces[id(output)] = [output.text]
        self._outputs.append(output)
        if name:
            self._named.setdefault(name, []).append(output)

    def _clear(self) -> None:
        self._clears = False
        self._outputs.clear()
        self._pieces.clear()
        self._named.clear()


def output_of(frame: Frame) -> NotebookNode:
    """Return the output that a frame shows."""
    kind = frame["kind"].replace("update_display_data", "display_data")
    made = NotebookNode({"output_type": kind, **{n: frame[n] for n in OUTPUT_FIELDS[kind]}})
    # What parts saw is much, and is read as it came; no graded notebook holds it.
    return made if OBSERVATION_TYPE in frame.get("data", {}) else from_dict(made)
