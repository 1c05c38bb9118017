"""Sections of ``nbgrader_config.py``: limits of a submission, and of what is kept of it."""

from __future__ import annotations

from nbformat import NotebookNode
from traitlets import Enum, Float, Integer, List, Unicode
from traitlets.config import Configurable

from tito.sandbox.settings import LEVELS

_CUT = "... {} truncated ..."


class ExecuteSubmission(Configurable):
    """How long a submission may run, how much it may show, and how it is to be isolated."""

    timeout = Float(30.0, help="Seconds of processor time for a cell, of all its processes.").tag(
        config=True
    )
    submission_timeout = Float(
        300.0, help="Seconds of processor time for all cells of a submission together."
    ).tag(config=True)
    patience = Float(
        4.0,
        help="How many times as long as that each may take by the clock: for code that waits, and "
        "for machines that are busy.",
    ).tag(config=True)
    grace = Float(
        2.0, help="Seconds that a kernel has to answer after it was interrupted, or be killed."
    ).tag(config=True)
    max_output = Integer(
        1_000_000,
        help="Characters that a cell may print, and figures ten times as many; of each, a notebook "
        "may show what four cells may print, and twelve times as many.",
    ).tag(config=True)
    max_restarts = Integer(
        10, help="How many kernels a submission may lose before its other cells are not run."
    ).tag(config=True)
    isolation = Enum(
        LEVELS, "full", help="The weakest isolation of students' code that is accepted."
    ).tag(config=True)
    secret_folders = List(
        Unicode(), help="Folders that students' code must not see, where the probe tries to look."
    ).tag(config=True)
    seed = Integer(
        None, allow_none=True, help="Repeats the inputs of an earlier run; random by default."
    ).tag(config=True)
    an_hour = Integer(
        12,
        help="How many submissions of one student 'tito grade --watch' grades within an hour; 0 "
        "for any number. What comes later is graded when the hour is over.",
    ).tag(config=True)
    fonts = Unicode(
        help="Folder for matplotlib's list of fonts, which takes a second to make; none if empty."
    ).tag(config=True)


class LimitOutput(Configurable):
    """nbgrader's section of this name, without the second that it takes to import nbgrader."""

    max_lines = Integer(1000, help="Lines that a cell may print; -1 for any number.").tag(
        config=True
    )
    max_traceback = Integer(100, help="Entries of a traceback; -1 for any number.").tag(config=True)

    def shorten(self, cell: NotebookNode) -> None:
        """Keep the beginning of what a code cell printed, and both ends of a traceback."""
        if self.max_lines >= 0:
            cell.outputs = self._within(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "error" and 0 <= self.max_traceback < len(output.traceback):
                head = self.max_traceback // 2
                tail = self.max_traceback - head - 1
                lines = output.traceback
                output.traceback = [*lines[:head], _CUT.format("Traceback"), *lines[-tail:]]

    def _within(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        kept, left = [], self.max_lines
        for output in outputs:
            if output.output_type == "stream":
                if not left:
                    continue
                lines = output.text.split("\n")
                if len(lines) > left:
                    lines = [*lines[: left - 1], _CUT.format("Output")]
                left -= len(lines)
                output.text = "\n".join(lines)
            kept.append(output)
        return kept
