"""A submission is rebuilt on its release: the course's cells as they were, the student's kept."""

from dataclasses import replace

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.tito.small_course import RIGHT, cell, context, named, position, solved
from tito.autograde import grade_submission
from tito.autograde.job import Job
from tito.course.cells import flags, grade_id
from tito.submission.rebuild import rebuild_on

COURSE = ["setup", "double-function", "test-double", "triple-function", "test-triple"]
COURSE += ["rubric-1", "question-1"]
JOB = Job("ada", b"", "x.ipynb", "")


@pytest.fixture
def work(released) -> NotebookNode:
    """A right notebook, to be damaged."""
    return solved(released)


def names(nb: NotebookNode) -> list[str]:
    return [name for c in nb.cells if (name := grade_id(c))]


def sources(nb: NotebookNode) -> list[str]:
    return [c.source for c in nb.cells]


def write(name, **fields):
    return lambda nb: cell(nb, name).update(fields)


def append(name, text):
    return lambda nb: cell(nb, name).update(source=cell(nb, name).source + text)


def delete(name):
    return lambda nb: nb.cells.remove(cell(nb, name))


def copy(name, source):
    return lambda nb: nb.cells.append(nbformat.from_dict({**cell(nb, name), "source": source}))


def describe(**metadata):
    metadata["grade_id"] = "test-double"
    return lambda nb: cell(nb, "test-double").metadata.update(nbgrader=metadata)


def forge(nb):
    nb.metadata.tinytorch = {"flags": ["forged"]}
    for index, one in enumerate(nb.cells):
        one.id = "same"
        if one.cell_type == "code":
            one.outputs = [nbformat.v4.new_output("stream", text=str(index))]


POINTS = {"points": 1000, "grade": False, "solution": True, "locked": False}
ODD = {"schema_version": {"a": []}, "checksum": 7, "points": "many"}
#: What a student may do that changes nothing, and what is flagged of it.
DAMAGE = [
    (write("test-double", source="4.0"), ["locked cell edited: test-double"]),
    (append("test-double", "\n"), []),
    (append("question-1", "\n\n"), []),
    (delete("test-double"), ["locked cell deleted: test-double"]),
    (copy("test-double", "4.0"), ["locked cell duplicated: test-double"]),
    (lambda nb: nb.cells.append(nb.cells.pop(4)), ["cell moved: test-double"]),
    (write("setup", cell_type="markdown"), ["locked cell changed to markdown: setup"]),
    (
        write("double-function", cell_type="raw"),
        ["solution cell changed to raw: double-function"],
    ),
    (forge, []),
    (describe(schema_version=1, **POINTS), ["nbgrader schema 1 instead of 3"]),
    (describe(**ODD), ["nbgrader schema {'a': []} instead of 3"]),
    (describe(), ["nbgrader schema none instead of 3"]),
]


@pytest.mark.parametrize(("damage", "flagged"), DAMAGE)
def test_damage_is_undone_and_flagged(released, work, damage, flagged):
    before = [(c.cell_type, c.source, c.metadata) for c in nbformat.from_dict(work).cells]
    damage(work)
    rebuilt = rebuild_on(released, work)
    assert [(c.cell_type, c.source, c.metadata) for c in rebuilt.cells] == before
    assert flags(rebuilt) == flagged
    assert not any(c.get("outputs") for c in rebuilt.cells)
    nbformat.validate(rebuilt)  # that ids are unique, too


def test_a_missing_solution_is_the_stub_of_the_release(released, work):
    delete("double-function")(work)
    rebuilt = rebuild_on(released, work)
    assert "NotImplementedError" in cell(rebuilt, "double-function").source
    assert flags(rebuilt) == ["solution cell deleted: double-function"]


def test_a_copied_solution_runs_after_the_first(released, work):
    copy("double-function", "def double(x): return x + x")(work)
    rebuilt = rebuild_on(released, work)
    first = position(rebuilt, "double-function")
    assert rebuilt.cells[first].source == RIGHT["double-function"]
    assert rebuilt.cells[first + 1].source == "def double(x): return x + x"
    assert rebuilt.cells[first + 1].metadata == {}
    assert flags(rebuilt) == ["solution cell duplicated: double-function"]


def test_a_stub_below_its_solution_does_not_run_after_it(released, work):
    stub = nbformat.from_dict(cell(released, "double-function"))
    work.cells.insert(position(work, "double-function") + 1, stub)
    rebuilt = rebuild_on(released, work)
    assert stub.source not in sources(rebuilt)
    assert cell(rebuilt, "double-function").source == RIGHT["double-function"]


def test_own_cells_follow_their_anchor(released, work):
    work.cells.insert(0, new_code_cell("first = 1"))
    why = new_markdown_cell("why", attachments={"a.png": {"image/png": "aaaa"}})
    work.cells.insert(position(work, "test-double"), why)
    rebuilt = rebuild_on(released, work)
    assert rebuilt.cells[0].source == "first = 1"
    kept = rebuilt.cells[position(rebuilt, "test-double") - 1]
    assert (kept.source, kept.attachments) == ("why", why.attachments)
    assert flags(rebuilt) == []


def test_an_unknown_grade_id_is_the_students_own_cell(released, work):
    extra = new_code_cell("bonus = 1", metadata={"nbgrader": {"grade_id": "bonus", "points": 99}})
    work.cells.append(extra)
    rebuilt = rebuild_on(released, work)
    assert (rebuilt.cells[-1].source, rebuilt.cells[-1].metadata) == ("bonus = 1", {})
    assert flags(rebuilt) == ["unknown cell, kept as the student's own: bonus"]


def test_unrecognized_solution_survives_the_stub(released, work):
    delete("test-double")(work)
    write("triple-function", id="new", metadata={}, source="from mine import triple")(work)
    rebuilt = rebuild_on(released, work)
    stub = position(rebuilt, "triple-function")
    assert "NotImplementedError" in rebuilt.cells[stub].source
    assert sources(rebuilt).index("from mine import triple") > stub
    assert names(rebuilt) == COURSE
    assert "solution cell deleted: triple-function" in flags(rebuilt)


def test_an_answer_keeps_its_pictures(released, work):
    pictures = {"a.png": {"image/png": "aaaa"}}
    write("question-1", source="![figure](attachment:a.png)", attachments=pictures)(work)
    assert cell(rebuild_on(released, work), "question-1").attachments == pictures


def test_what_was_noted_while_reading_comes_first(released, work):
    write("test-double", source="4.0")(work)
    job = replace(JOB, flags=("renamed: x.ipynb",))
    rebuilt = grade_submission.rebuild(work, job, context(released))
    assert flags(rebuilt) == ["renamed: x.ipynb", "locked cell edited: test-double"]


@pytest.fixture
def later(released) -> NotebookNode:
    """The release after one in which a test, a stub and the course's text were changed."""
    made = nbformat.from_dict(released)
    append("test-double", "\n# more")(made)
    append("double-function", "\n# A hint.")(made)
    made.cells[0].source = "# Two and three times"
    made.cells.insert(2, named(new_code_cell("LATER = 1"), "given", locked=True))
    delete("rubric-1")(made)
    return made


def test_compares_with_the_release_a_student_had(released, later, work):
    work.cells.append(new_markdown_cell(released.cells[0].source))
    rebuilt = rebuild_on(later, work, [released])
    assert flags(rebuilt) == []
    assert names(rebuilt) == ["setup", "given", *COURSE[1:5], "question-1"]
    assert cell(rebuilt, "test-double").source == cell(later, "test-double").source
    assert "Why does it matter?" not in sources(rebuilt), "the course has dropped it"


def test_edit_of_an_earlier_release_is_flagged(released, later, work):
    write("test-double", source="4.0")(work)
    delete("setup")(work)
    told = ["locked cell deleted: setup", "locked cell edited: test-double"]
    assert flags(rebuild_on(later, work, [released])) == told


def test_earlier_stub_becomes_the_current_stub(released, later):
    stub = cell(rebuild_on(later, released, [released]), "double-function")
    assert stub.source == cell(later, "double-function").source


@pytest.fixture
def with_base(released) -> NotebookNode:
    """A release that gave a base class, and a demonstration of it, both of them dropped later."""
    made = nbformat.from_dict(released)
    cell(made, "test-double").source += "\n# before"
    after = position(made, "setup") + 1
    made.cells[after:after] = [
        named(new_code_cell("class Base:\n    scale = 2"), "given-base", locked=True),
        new_code_cell("import os\nprint(os.listdir(), Base.scale)"),
    ]
    return made


def test_code_that_an_earlier_release_gave_stays_where_a_solution_may_use_it(released, with_base):
    uses_base = "def double(x):\n    return Base.scale * x"
    work = solved(with_base, {**RIGHT, "double-function": uses_base})
    rebuilt = rebuild_on(released, work, [with_base])
    assert (names(rebuilt), flags(rebuilt)) == (COURSE, [])
    assert sources(rebuilt) == [source.removesuffix("\n# before") for source in sources(work)]
    del work.cells[position(work, "setup")]  # it follows its cell although that is gone
    rebuilt = sources(rebuild_on(released, work, [with_base]))
    assert rebuilt.index("import math") < rebuilt.index("class Base:\n    scale = 2")


def test_given_code_comes_from_the_release_whatever_a_student_made_of_it(released, with_base):
    work = solved(with_base)
    cell(work, "given-base").source = "class Base:\n    scale = 3"
    edited = rebuild_on(released, work, [with_base])
    assert "class Base:\n    scale = 2" in sources(edited)
    assert "class Base:\n    scale = 3" not in sources(edited)
    assert flags(edited) == ["locked cell edited: given-base"]
    del work.cells[position(work, "given-base")]
    deleted = rebuild_on(released, work, [with_base])
    assert "class Base:\n    scale = 2" in sources(deleted)
    assert flags(deleted) == ["locked cell deleted: given-base"]


def test_demonstrations_of_an_earlier_release_are_not_the_students(released, with_base):
    work = solved(with_base)
    graded = grade_submission.rebuild(work, JOB, context(released, [with_base]))
    assert flags(graded) == []


def test_current_release_ignores_earlier_ones(released, later):
    assert flags(rebuild_on(later, solved(later), [released])) == []
