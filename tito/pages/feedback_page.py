"""A graded notebook as a page for its student: what was graded, and what came of it.

The course's own text and the source of its checks stay out: the student has them, or is not to
see them. What is left is the verdict on every part, the student's own code with what it printed
and drew, the written answers, and what the person who graded wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from tinytorch.checks import MIME_TYPE, Report
from tito.course.cells import grade_id, is_autograded, is_fixed, is_left_out, is_locked, is_task
from tito.pages import clean, environment
from tito.pages.bounds import Allowance

_HEADING = re.compile(r"^(#{1,3}) +(\S.*)$", re.MULTILINE)
_WORTH = re.compile(r"\s*\(\d+ points?\)$")


@dataclass(frozen=True)
class Mark:
    """What the gradebook says of a graded cell."""

    points: float | None  # None where nobody has marked it yet
    worth: float
    waits: bool = False  # whether a person is still to look at it


@dataclass(frozen=True)
class GradeSummary:
    """What the gradebook says of a submission: marks by graded cell, comments by cell."""

    student: str
    marks: dict[str, Mark] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0  # points taken for lateness
    name: str = ""  # what the student is called, where that is known

    @property
    def total(self) -> float:
        """Points so far, less the penalty."""
        earned = sum(mark.points or 0.0 for mark in self.marks.values())
        return max(0.0, earned - self.penalty)

    @property
    def worth(self) -> float:
        """The most that the whole can be."""
        return sum(mark.worth for mark in self.marks.values())

    @property
    def waiting(self) -> int:
        """How many cells a person is still to mark."""
        return sum(mark.waits for mark in self.marks.values())


@dataclass
class Shown:
    """An output, made ready for the template: one of these is set."""

    picture: str | None = None
    html: Markup | None = None
    text: str = ""
    is_error: bool = False
    handed_in: bool = False  # whether it is what the student's own notebook shows there


@dataclass
class Work:
    """One of the student's code cells: its code, where it is theirs, and its outputs."""

    code: Markup | None
    outputs: list[Shown]
    comment: Markup | None = None


@dataclass
class Section:
    """A graded cell with what led up to it."""

    name: str
    title: str
    mark: Mark
    report: Report | None = None
    question: Markup | None = None
    answer: Markup | None = None
    comment: Markup | None = None
    work: list[Work] = field(default_factory=list)
    outputs: list[Shown] = field(default_factory=list)

    @property
    def pictures(self) -> list[Shown]:
        """The student's plots."""
        return [shown for work in self.work for shown in work.outputs if shown.picture]

    @property
    def is_full(self) -> bool:
        """Whether there is nothing more to earn."""
        return self.mark.points is not None and self.mark.points >= self.mark.worth


def render(nb: NotebookNode, summary: GradeSummary, released: Set[str] = frozenset()) -> str:
    """Return the page.

    Parameters
    ----------
    nb : NotebookNode
        The graded notebook, cleared of what is not for students, with tidy outputs.
    summary : GradeSummary
        Its marks.
    released : set of str
        The sources of the released cells: code that is not the student's is not shown again.
    """
    template = environment().get_template("feedback.html.j2")
    return template.render(
        title=_title(nb),
        summary=summary,
        sections=_told_apart(list(_Page(summary, released).sections(nb))),
        code_styles=clean.code_styles(),
    )


def _title(nb: NotebookNode) -> str:
    headings = (_HEADING.search(cell.source) for cell in nb.cells if cell.cell_type == "markdown")
    return next((_words(match) for match in headings if match), "Feedback")


def _told_apart(sections: list[Section]) -> list[Section]:
    """Add their names to sections that one heading has several of."""
    often = Counter(section.title for section in sections)
    for section in sections:
        if often[section.title] > 1 and section.title != section.name:
            section.title += f": {section.name}"
    return sections


def _words(match: re.Match[str]) -> str:
    """Return a heading without the signs that may close it."""
    return match[2].rstrip().rstrip("#").rstrip()


@dataclass
class _Page:
    """A page in the making, and what may still be spent on it."""

    summary: GradeSummary
    released: Set[str]
    allowance: Allowance = field(default_factory=Allowance)

    def sections(self, nb: NotebookNode) -> Iterator[Section]:
        """Give the graded cells with the student's work on them."""
        chapter, before = "", None
        work: list[Work] = []
        task: Section | None = None  # whose answer may be any cells below it
        for cell in nb.cells:
            name = grade_id(cell)
            if name and task:
                yield task
                task, work = None, []
            if name in self.summary.marks:
                section = Section(name, chapter or name, self.summary.marks[name], work=work)
                section.comment = self._comment(name)
                if is_autograded(cell):
                    self._add_report(section, cell)
                else:
                    self._add_answer(section, cell, before)
                if is_task(cell):
                    task = section
                else:
                    yield section
                    work = []
            elif cell.cell_type == "code" and not is_locked(cell):
                work += self._work(cell)
            elif cell.cell_type == "markdown":
                match = _HEADING.match(cell.source)
                chapter = _words(match) if match and len(match[1]) < 3 else chapter
                if task and cell.source not in self.released:
                    text = self._markdown(cell.source, cell.get("attachments"))
                    task.answer = (task.answer or Markup()) + text
            before = cell
        if task:
            yield task

    def _add_report(self, section: Section, cell: NotebookNode) -> None:
        """Take the verdict out of a cell's outputs; the rest is what the cell printed or raised."""
        for output in cell.outputs:
            data = output.get("data", {})
            if MIME_TYPE in data and section.report is None:
                section.report = Report.from_data(data[MIME_TYPE])
            elif output.output_type != "execute_result":  # nbgrader's points
                section.outputs += self._shown(output)

    def _add_answer(
        self, section: Section, cell: NotebookNode, before: NotebookNode | None
    ) -> None:
        asked = cell if is_task(cell) else before
        if asked is not None and asked.cell_type == "markdown" and is_fixed(asked):
            match = _HEADING.match(asked.source)
            section.title = _WORTH.sub("", _words(match)) if match else section.title
            question = asked.source[match.end() :] if match else asked.source
            section.question = self._markdown(question, asked.get("attachments"))
        if cell.cell_type == "code":
            section.answer = clean.python(cell.source, self.allowance)
            outputs = [shown for output in cell.outputs for shown in self._shown(output)]
            section.work += [Work(None, outputs)] if outputs else []
        elif asked is not cell:
            section.answer = self._markdown(cell.source, cell.get("attachments"))

    def _work(self, cell: NotebookNode) -> list[Work]:
        given = is_left_out(cell)
        outputs = [
            replace(shown, handed_in=given)
            for output in cell.outputs
            for shown in self._shown(output)
        ]
        own = cell.source not in self.released
        code = clean.python(cell.source, self.allowance) if own else None
        comment = self._comment(grade_id(cell))
        return [Work(code, outputs, comment)] if code or outputs or comment else []

    def _comment(self, name: str | None) -> Markup | None:
        text = self.summary.comments.get(name or "")
        return self._markdown(text) if text else None

    def _markdown(self, source: str, attachments: Any = None) -> Markup:
        return clean.markdown(source, attachments, self.allowance)

    def _shown(self, output: NotebookNode) -> list[Shown]:
        """Return what to show of an output: the richest form that is harmless."""
        if output.output_type == "stream":
            return [Shown(text=clean.text(output.text, self.allowance))]
        if output.output_type == "error":
            trace = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            return [Shown(text=clean.text(trace, self.allowance), is_error=True)]
        data: dict[str, Any] = output.data
        if picture := clean.picture(data):
            return [Shown(picture=picture)]
        if "text/html" in data:
            return [Shown(html=clean.clean_html(data["text/html"], self.allowance))]
        if "text/markdown" in data:
            return [Shown(html=self._markdown(data["text/markdown"]))]
        plain = data.get("text/plain")
        return [Shown(text=clean.text(plain, self.allowance))] if plain is not None else []
