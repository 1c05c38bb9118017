"""Put a class's notebooks where grading looks for them, and say what became of each file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.api import Gradebook, Student

from tito.course import Course, Module
from tito.course.files import put_in_place
from tito.course.folders import own_folder
from tito.course.gradebook import assignment_in, open_gradebook, people_in, times_in
from tito.course.lateness import CoursePolicy, lateness
from tito.course.roster import Person, Roster, with_gradebook_ids
from tito.course.times import EXAMPLE, read_time
from tito.submission import archive
from tito.submission.intake import MAX_BYTES, notebook_name, read_timestamp
from tito.submission.schemes import SCHEMES, DownloadedFile, recognize, without_number

_MAX_NAME_BYTES = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = "timestamp.txt"
#: So many notebooks of one student are read.
_MAX_NOTEBOOKS = 20


@dataclass
class Report:
    """What became of a download, by student, or by owner where that is nobody of the roster."""

    #: Whose download it was.
    scheme: str
    #: Students whose submission is new, or was replaced.
    collected: list[str] = field(default_factory=list)
    #: Students whose submission is the one that is there.
    unchanged: list[str] = field(default_factory=list)
    #: Students whose submission differs from the one that is there, which stays.
    conflicts: dict[str, str] = field(default_factory=dict)
    #: Students who are late, and how much.
    late: dict[str, str] = field(default_factory=dict)
    #: Students whose time of submission was not understood, and has to be written down.
    unclear: dict[str, str] = field(default_factory=dict)
    #: Files not taken: another one counts, they cannot be read, they are nobody's, or it cannot be
    #: said whose.
    duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    #: Students of the roster of whom neither the download nor an earlier one has a notebook.
    missing: list[str] = field(default_factory=list)
    #: Whose id in the gradebook is another than in the roster, by the roster's id.
    renamed: dict[str, str] = field(default_factory=dict)
    #: Students of the roster who could be several in the gradebook; nothing was done for them.
    strangers: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left for a person to do."""
        return not any(
            (
                self.unknown,
                self.doubtful,
                self.refused,
                self.conflicts,
                self.unclear,
                self.strangers,
            )
        )


def collect(
    course: Course,
    module: Module,
    source: Path,
    roster: Roster,
    scheme: str | None = None,
    supersede: bool = False,
) -> Report:
    """Take in a download of all submissions.

    Parameters
    ----------
    course, module
        The notebooks go to ``course.submitted/STUDENT/module.name``.
    source : Path
        A zip archive or a folder.
    roster : Roster
        Who is in the class; everybody gets an entry in the gradebook.
    scheme : str, optional
        Whose download it is; recognized by default.
    supersede : bool
        Put later submissions in the place of those that are there; these move to
        ``course.records/module.name/earlier``.

    Raises
    ------
    TitoError
        If the archive cannot be opened or trusted, or the module was not released. What is
        wrong with one student's files is in the report.
    """
    with archive.entries(source) as entries:
        chosen = scheme or recognize(entries)
        config = course.nbgrader_config()
        report = Report(chosen)
        with open_gradebook(course, config) as book:
            due = assignment_in(book, module).duedate
            extensions = {student: more for student, (_, more) in times_in(book, module).items()}
            roster, report.renamed, report.strangers = with_gradebook_ids(roster, people_in(book))
            _enter_people(book, roster)
        policy = CoursePolicy.of(config)
        collection = _Collection(course, module, policy, due, extensions, supersede, report)
        notebooks = collection.sort(SCHEMES[chosen](entries, roster))
        for person in roster.people:
            collection.take(person, notebooks[person.student])
    return report


def _enter_people(book: Gradebook, roster: Roster) -> None:
    """Enter the class in the gradebook."""
    entered = {student.id: student for student in book.students}
    for person in roster.people:
        student = entered.get(person.student) or Student(id=person.student)
        student.first_name = person.first_name or student.first_name
        student.last_name = person.last_name or student.last_name
        student.email = person.keys.get("email") or student.email
        student.lms_user_id = person.keys.get("canvas") or student.lms_user_id
        book.db.add(student)
    book.db.commit()


@dataclass(frozen=True)
class _Collection:
    """One download, student by student; what becomes of each file goes into the report."""

    course: Course
    module: Module
    policy: CoursePolicy
    due: datetime | None
    extensions: dict[str, timedelta]
    supersede: bool
    report: Report

    def take(self, person: Person, downloaded: Sequence[DownloadedFile]) -> None:
        """Put a student's notebooks in place, with the time of submission."""
        newest = self._newest(person.student, downloaded)
        files = self._read(person.student, newest)
        place = self.course.submitted / person.student / self.module.name
        if not files:
            if person.student not in self.report.refused and not _is_there(place):
                self.report.missing.append(person.student)
            return
        when = max((file.when for file in newest if file.when), default=None)
        if when is None and person.submitted_at:
            when = read_time(person.submitted_at, self.policy.zone)
        if when:
            files[_TIME] = f"{when:%Y-%m-%d %H:%M:%S} UTC\n".encode()
        self._place(person.student, place, files)
        when = when or _written_in(place, self.policy)
        self._note_time(person, when, marked_late=any(file.late for file in newest))

    def sort(self, files: Sequence[DownloadedFile]) -> dict[str, list[DownloadedFile]]:
        """Sort the notebooks by student; note what is no notebook, or nobody's."""
        notebooks: dict[str, list[DownloadedFile]] = defaultdict(list)
        others: dict[str, list[DownloadedFile]] = defaultdict(list)
        for file in files:
            is_notebook = bool(notebook_name(file.filename))
            is_work = is_notebook or archive.is_archive(file.filename)
            if is_notebook and archive.has_control_characters(file.entry.name):
                reason = f"{file.entry.name} has control characters in its name"
                self.report.refused[file.owner] = reason
            elif file.doubt and is_work:
                self.report.doubtful[file.entry.name] = f"{file.owner}: {file.doubt}"
            elif file.people:
                for person in file.people:
                    (notebooks if is_notebook else others)[person.student].append(file)
            elif is_work:
                self.report.unknown[file.entry.name] = file.owner
        # Something else beside a notebook is no reason for a complaint.
        for student, rest in others.items():
            if student not in notebooks:
                notebooks[student] = list(self._unpack(student, rest))
        return notebooks

    def _unpack(self, student: str, files: Sequence[DownloadedFile]) -> Iterator[DownloadedFile]:
        """Look for notebooks in the archives that a student handed in, and say what there was."""
        ask = f"ask for {self.module.notebook}.ipynb itself"
        refused = self.report.refused
        for file in files:
            refused[student] = f"{file.filename} is not a notebook; {ask}"
            if not archive.is_archive(file.filename):
                continue
            try:
                inside = [e for e in file.entry.inside() if notebook_name(e.name)]
            except archive.UnreadableError as error:
                refused[student] = f"{error}; {ask}"
                continue
            refused[student] = f"there is no notebook in {file.filename}; {ask}"
            if inside:
                for entry in inside:
                    yield replace(file, entry=entry, filename=entry.name.rpartition("/")[2])
                del refused[student]
                return

    @property
    def _wanted(self) -> set[str]:
        """The names of the assignment's notebooks, some of which may end in a number."""
        return {f"{name}.ipynb" for name in (self.module.notebook, *self.module.siblings)}

    def _with_name(self, file: DownloadedFile) -> DownloadedFile:
        """Give a notebook the name that it gets where it is graded."""
        name = notebook_name(file.filename)
        if self.report.scheme == "canvas" and name not in self._wanted:
            name = without_number(name)
        if not name.isprintable() or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
            name = f"notebook-{file.order}.ipynb"
        return replace(file, filename=name)

    def _newest(self, student: str, downloaded: Sequence[DownloadedFile]) -> list[DownloadedFile]:
        """Choose, of files of one name, the last that the student handed in."""
        by_name: dict[str, DownloadedFile] = {}
        dropped = []
        for file in map(self._with_name, sorted(downloaded, key=_order)):
            if earlier := by_name.get(file.filename):
                dropped.append(earlier.entry.name)
            by_name[file.filename] = file
        expected, wanted = f"{self.module.notebook}.ipynb", self._wanted
        if len(by_name) > _MAX_NOTEBOOKS:
            self.report.refused[student] = f"{len(by_name)} notebooks; ask for {expected} alone"
            return []
        notes = [f"not taken: {', '.join(dropped)}"] if dropped else []
        others = by_name.keys() - wanted
        if len(others) > 1 or (others and by_name.keys() & wanted):
            notes.append(f"several notebooks: {', '.join(by_name)}")
        if notes:
            self.report.duplicates[student] = "; ".join(notes)
        return list(by_name.values())

    def _read(self, student: str, downloaded: Sequence[DownloadedFile]) -> dict[str, bytes]:
        """Read a student's notebooks, by the names that they get."""
        files = {}
        for file in downloaded:
            try:
                files[file.filename] = file.entry.read(MAX_BYTES)
            except archive.UnreadableError as error:
                self.report.refused[student] = str(error)
        return files

    def _note_time(self, person: Person, when: datetime | None, marked_late: bool) -> None:
        student, report = person.student, self.report
        if when:
            extension = self.extensions.get(student)
            late = lateness(when.replace(tzinfo=None), self.due, extension, self.policy)
            if late.seconds:
                percent = late.penalty(student, 100.0)
                cost = f"{percent:g} % of the points earned" if percent else "which costs nothing"
                report.late[student] = f"by {timedelta(seconds=int(late.seconds))}, {cost}"
        elif marked_late:
            report.late[student] = (
                f"the platform says so, but not by how much: write the time into its {_TIME}"
            )
        elif person.submitted_at:
            report.unclear[student] = (
                f"the roster says {person.submitted_at[:60]!r}, which is not English or can be "
                f"read in two ways: write the time into its {_TIME}, as {EXAMPLE}"
            )

    def _place(self, student: str, place: Path, files: dict[str, bytes]) -> None:
        """Write a submission as a whole; leave alone what is there, unless told otherwise."""
        try:
            inside = _inside(place)
            there = {path.name: path.read_bytes() for path in inside if path.is_file()}
        except OSError as error:
            self.report.refused[student] = (
                f"{place} cannot be read ({error.strerror}): chmod -R u+rX {place.parent}"
            )
            return
        if _TIME not in files:  # the download knows none, so a person may have written it
            there.pop(_TIME, None)
        if there == files:
            self.report.unchanged.append(student)
            return
        if inside and not self.supersede:
            self.report.conflicts[student] = str(place)
            return
        self.course.submitted.mkdir(parents=True, exist_ok=True)
        with own_folder(".collecting-", self.course.submitted) as staging:
            fresh = staging / "made"
            fresh.mkdir()
            for name, data in files.items():
                (fresh / name).write_bytes(data)
            if inside:
                self._put_aside(student, place)
            put_in_place(fresh, place, staging)
        self.report.collected.append(student)

    def _put_aside(self, student: str, place: Path) -> None:
        """Move an earlier submission where no grading finds it."""
        earlier = self.course.records_of(self.module) / "earlier" / student
        earlier.mkdir(parents=True, exist_ok=True)
        place.rename(earlier / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")


def _order(file: DownloadedFile) -> tuple[datetime, bool, int]:
    """Sort by time; at the same time a notebook counts before one with another ending."""
    own_ending = file.filename.lower().endswith(".ipynb")
    return file.when or _EPOCH, own_ending, file.order


def _written_in(place: Path, policy: CoursePolicy) -> datetime | None:
    """Return the time that stands beside a submission, whoever wrote it."""
    try:
        when, _ = read_timestamp(place, policy.zone)
    except OSError:
        return None
    return when.replace(tzinfo=UTC) if when else None


def _inside(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except FileNotFoundError:
        return []


def _is_there(place: Path) -> bool:
    """Whether something was collected before, also where nobody may look."""
    try:
        return bool(_inside(place))
    except OSError:
        return True
