"""Lateness in nbgrader's own commands: the same times, the same days, the same penalties.

Named in ``nbgrader_config.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import AssignLatePenalties

from tito.course.late import policy_of, set_penalties
from tito.submission.intake import read_timestamp


class AssignPenalty(AssignLatePenalties):
    """The penalty of a submission, as ``tito grade`` would enter it.

    nbgrader reads ``timestamp.txt`` in its own way, and keeps the time of one that is gone.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Enter the time and the penalty."""
        ids, policy = resources["nbgrader"], policy_of(self.config)
        where = CourseDirectory(config=self.config)
        folder = where.format_path(where.submitted_directory, ids["student"], ids["assignment"])
        with Gradebook(ids["db_url"]) as book:
            submission = book.find_submission(ids["assignment"], ids["student"])
            submission.timestamp, _ = read_timestamp(Path(folder), policy.zone)
            book.db.flush()
            notebooks = [notebook.id for notebook in submission.notebooks]
            set_penalties(book.db, submission.assignment_id, policy, notebooks)
            book.db.commit()
        return nb, resources


class CurrentCsvExport(CsvExportPlugin):
    """``nbgrader export`` with the penalties of the marks, due dates and extensions of now."""

    def export(self, gradebook: Gradebook) -> None:
        """Refresh all penalties, then write."""
        policy = policy_of(self.config)
        for assignment in gradebook.assignments:
            set_penalties(gradebook.db, assignment.id, policy)
        gradebook.db.commit()
        super().export(gradebook)
