"""The section ``ExecuteSubmission`` of ``nbgrader_config.py``: limits of a submission."""

from __future__ import annotations

from traitlets import Enum, Float, Integer, List, Unicode
from traitlets.config import Configurable

from tito.sandbox.settings import LEVELS


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
