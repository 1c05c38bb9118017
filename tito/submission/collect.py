"""Put a class's notebooks where grading looks for them, and say what became of each file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.api import Gradebook, Student

from tito.course import Course, Module
from tito.course.files import put_in_place, staging_folder
from tito.course.gradebook import assignment_in, open_gradebook, people_in, times_in
from tito.course.lateness import CoursePolicy, lateness
from tito.course.roster import Person, Roster, with_known_ids
from tito.course.times import EXAMPLE, read_time
from tito.submission import archive
from tito.submission.intake import MAX_BYTES, notebook_name, read_timestamp
from tito.submission.schemes import SCHEMES, Found, recognize

_LONGEST_NAME = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = "timestamp.txt"
#: So many notebooks of one student are read.
_MOST_NOTEBOOKS = 20


@dataclass
class Report:
    """What became of a download, by student, or by owner where that is nobody of the roster.

    Attributes
    ----------
    scheme : str
        Whose download it was.
    collected : list of str
        Students whose submission is new, or was replaced.
    unchanged : list of str
        Students whose submission is the one that is there.
    kept : dict
        Students whose submission differs from the one that is there, which stays.
    late : dict
        Students who are late, and how much.
    unclear : dict
        Students whose time of submission was not understood, and has to be written down.
    duplicates, refused, unknown, doubtful : dict
        Files not taken: another one counts, they cannot be read, they are nobody's, or it cannot be
        said whose.
    missing : list of str
        Students of the roster of whom neither the download nor an earlier one has a notebook.
    renamed : dict
        Whose id in the gradebook is another than in the roster, by the roster's id.
    strangers : dict
        Students of the roster who could be several in the gradebook; nothing was done for them.
    """

    scheme: str
    collected: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)
    duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    strangers: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left for a person to do."""
        return not any(
            (self.unknown, self.doubtful, self.refused, self.kept, self.unclear, self.strangers)
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
        report = Report(chosen)
        roster, deadline = _enter(course, module, roster, report)
        ours = _of_students(SCHEMES[chosen](entries, roster), report, module)
        for person in roster.people:
            newest = _newest(person, ours[person.student], module, report)
            files = _read(person, newest, report)
            place = course.submitted / person.student / module.name
            if not files:
                if person.student not in report.refused and not _is_there(place):
                    report.missing.append(person.student)
                continue
            when = _when(person, newest, deadline.policy)
            if when:
                files[_TIME] = f"{when:%Y-%m-%d %H:%M:%S} UTC\n".encode()
            _place(course, module, person.student, files, supersede, report)
            when = when or _written_in(place, deadline.policy)
            _note_time(person, newest, when, deadline, report)
    return report


@dataclass(frozen=True)
class _Deadline:
    """Until when, and what it costs."""

    policy: CoursePolicy
    due: datetime | None
    extensions: dict[str, timedelta]


def _enter(
    course: Course, module: Module, roster: Roster, report: Report
) -> tuple[Roster, _Deadline]:
    """Enter the class in the gradebook, nobody twice; return it under the gradebook's ids."""
    config = course.nbgrader_config()
    with open_gradebook(course, config) as book:
        due = assignment_in(book, module).duedate
        extensions = {student: more for student, (_, more) in times_in(book, module).items()}
        roster, report.renamed, report.strangers = with_known_ids(roster, people_in(book))
        _enter_people(book, roster)
    return roster, _Deadline(CoursePolicy.of(config), due, extensions)


def _enter_people(book: Gradebook, roster: Roster) -> None:
    known = {student.id: student for student in book.students}
    for person in roster.people:
        student = known.get(person.student) or Student(id=person.student)
        student.first_name = person.first_name or student.first_name
        student.last_name = person.last_name or student.last_name
        student.email = person.keys.get("email") or student.email
        student.lms_user_id = person.keys.get("canvas") or student.lms_user_id
        book.db.add(student)
    book.db.commit()


def _of_students(found: Sequence[Found], report: Report, module: Module) -> dict[str, list[Found]]:
    """Sort the notebooks by student; note what is no notebook, or nobody's."""
    ours: dict[str, list[Found]] = defaultdict(list)
    others: dict[str, list[Found]] = defaultdict(list)
    for file in found:
        notebook = notebook_name(file.filename)
        if notebook and archive.has_control_characters(file.entry.name):
            report.refused[file.owner] = f"{file.entry.name} has control characters in its name"
        elif file.doubt and (notebook or archive.is_archive(file.filename)):
            report.doubtful[file.entry.name] = f"{file.owner}: {file.doubt}"
        elif file.people:
            for person in file.people:
                (ours if notebook else others)[person.student].append(file)
        elif notebook or archive.is_archive(file.filename):
            report.unknown[file.entry.name] = file.owner
    # Something else beside a notebook is no reason for a complaint.
    for student, files in others.items():
        if student not in ours:
            ours[student] = list(_unpacked(student, files, report, module))
    return ours


def _unpacked(
    student: str, files: Sequence[Found], report: Report, module: Module
) -> Iterator[Found]:
    """Look for notebooks in the archives that a student handed in, and say what there was."""
    ask = f"ask for {module.notebook}.ipynb itself"
    for file in files:
        report.refused[student] = f"{file.filename} is not a notebook; {ask}"
        if not archive.is_archive(file.filename):
            continue
        try:
            inside = [e for e in file.entry.inside() if notebook_name(e.name)]
        except archive.UnreadableError as error:
            report.refused[student] = f"{error}; {ask}"
            continue
        report.refused[student] = f"there is no notebook in {file.filename}; {ask}"
        if inside:
            yield from (
                replace(file, entry=entry, filename=entry.name.rpartition("/")[2])
                for entry in inside
            )
            del report.refused[student]
            return


def _usable(file: Found) -> Found:
    """Give a file a name that can be written, whatever the student called it."""
    name = notebook_name(file.filename)
    plain = name.isprintable() and len(name.encode("utf-8", "replace")) <= _LONGEST_NAME
    return replace(file, filename=name if plain else f"notebook-{file.order}.ipynb")


def _newest(person: Person, files: Sequence[Found], module: Module, report: Report) -> list[Found]:
    """Choose, of files of one name, the last that the student handed in."""
    by_name: dict[str, Found] = {}
    dropped = []
    for file in sorted(files, key=_order):
        usable = _usable(file)
        if earlier := by_name.get(usable.filename):
            dropped.append(earlier.entry.name)
        by_name[usable.filename] = usable
    if len(by_name) > _MOST_NOTEBOOKS:
        problem = f"{len(by_name)} notebooks; ask for {module.notebook}.ipynb alone"
        report.refused[person.student] = problem
        return []
    if dropped:
        report.duplicates[person.student] = f"not taken: {', '.join(dropped)}"
    wanted = f"{module.notebook}.ipynb"
    others = [name for name in by_name if name != wanted]
    if len(others) > 1 or (others and wanted in by_name):
        note = f"several notebooks: {', '.join(by_name)}"
        report.duplicates[person.student] = "; ".join(
            filter(None, [report.duplicates.get(person.student), note])
        )
    return list(by_name.values())


def _order(file: Found) -> tuple[datetime, bool, int]:
    """Sort by time; at the same time a notebook counts before one with another ending."""
    own_ending = file.filename.lower().endswith(".ipynb")
    return file.when or _EPOCH, own_ending, file.order


def _read(person: Person, found: Sequence[Found], report: Report) -> dict[str, bytes]:
    """Read a student's notebooks, by the names that they get."""
    files = {}
    for file in found:
        try:
            files[file.filename] = file.entry.read(MAX_BYTES)
        except archive.UnreadableError as error:
            report.refused[person.student] = str(error)
    return files


def _when(person: Person, found: Sequence[Found], policy: CoursePolicy) -> datetime | None:
    """Return when a student handed in: as the download says, or the roster."""
    told = [file.when for file in found if file.when]
    if told or not person.submitted_at:
        return max(told, default=None)
    return read_time(person.submitted_at, policy.zone)


def _written_in(place: Path, policy: CoursePolicy) -> datetime | None:
    """Return the time that stands beside a submission, whoever wrote it."""
    try:
        when, _ = read_timestamp(place, policy.zone)
    except OSError:
        return None
    return when.replace(tzinfo=UTC) if when else None


def _note_time(
    person: Person,
    found: Sequence[Found],
    when: datetime | None,
    deadline: _Deadline,
    report: Report,
) -> None:
    student = person.student
    if when:
        extension = deadline.extensions.get(student)
        handed_in = when.replace(tzinfo=None)
        late = lateness(handed_in, deadline.due, extension, deadline.policy)
        if late.seconds:
            by = timedelta(seconds=int(late.seconds))
            report.late[student] = f"by {by}, {_cost(late.penalty(student, 100.0) or 0.0)}"
    elif any(file.late for file in found):
        report.late[student] = (
            "the platform says so, but not by how much: write the time into its timestamp.txt"
        )
    elif person.submitted_at:
        report.unclear[student] = (
            f"the roster says {person.submitted_at[:60]!r}, which is not English or can be read in "
            f"two ways: write the time into its {_TIME}, as {EXAMPLE}"
        )


def _cost(percent: float) -> str:
    return f"{percent:g} % of the points earned" if percent else "which costs nothing"


def _place(
    course: Course,
    module: Module,
    student: str,
    files: dict[str, bytes],
    supersede: bool,
    report: Report,
) -> None:
    """Write a submission as a whole; leave alone what is there, unless told otherwise."""
    place = course.submitted / student / module.name
    try:
        inside = _inside(place)
        there = {path.name: path.read_bytes() for path in inside if path.is_file()}
    except OSError as error:
        report.refused[student] = (
            f"{place} cannot be read ({error.strerror}): chmod -R u+rX {place.parent}"
        )
        return
    if _TIME not in files:  # the download knows none, so a person may have written it
        there.pop(_TIME, None)
    if there == files:
        report.unchanged.append(student)
        return
    if inside and not supersede:
        report.kept[student] = str(place)
        return
    course.submitted.mkdir(parents=True, exist_ok=True)
    with staging_folder(course.submitted) as staging:
        made = staging / "made"
        made.mkdir()
        for name, data in files.items():
            (made / name).write_bytes(data)
        if inside:
            _put_aside(course, module, student, place)
        put_in_place(made, place, staging)
    report.collected.append(student)


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


def _put_aside(course: Course, module: Module, student: str, place: Path) -> None:
    """Move an earlier submission where no grading finds it."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    aside = course.records / module.name / "earlier" / student / stamp
    aside.parent.mkdir(parents=True, exist_ok=True)
    place.rename(aside)
