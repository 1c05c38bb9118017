import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.tito.small_course import RIGHT, cell, context, named, position, solve
from tito.autograde import grade_submission
from tito.autograde.job import Job
from tito.course.cells import flags, grade_id
from tito.submission.rebuild import rebuild_on

ORDER = [
    "setup",
    "double-function",
    "test-double",
    "triple-function",
    "test-triple",
    "rubric-1",
    "question-1",
]


@pytest.fixture
def work(released) -> NotebookNode:
    """A right notebook, to be damaged."""
    return solve(nbformat.from_dict(released))


def names(nb: NotebookNode) -> list[str]:
    return [name for c in nb.cells if (name := grade_id(c))]


def sources(nb: NotebookNode) -> list[str]:
    return [c.source for c in nb.cells]


def test_an_honest_notebook_comes_out_as_it_was(released, work):
    rebuilt = rebuild_on(released, work)
    assert sources(rebuilt) == sources(work)
    assert flags(rebuilt) == []
    nbformat.validate(rebuilt)


def test_a_locked_cell_that_was_edited_is_restored(released, work):
    cell(work, "test-double").source = "4.0"
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "test-double").source == cell(released, "test-double").source
    assert flags(rebuilt) == ["locked cell edited: test-double"]


def test_space_at_the_end_of_a_locked_cell_is_no_edit(released, work):
    cell(work, "test-double").source += "\n"
    assert flags(rebuild_on(released, work)) == []


def test_a_locked_cell_that_was_deleted_is_restored(released, work):
    del work.cells[position(work, "test-double")]
    rebuilt = rebuild_on(released, work)
    assert names(rebuilt) == ORDER
    assert flags(rebuilt) == ["locked cell deleted: test-double"]


def test_a_copy_of_a_locked_cell_is_dropped(released, work):
    copy = nbformat.from_dict(cell(work, "test-double"))
    copy.source = "4.0"
    work.cells.append(copy)
    rebuilt = rebuild_on(released, work)
    assert sources(rebuilt) == sources(rebuild_on(released, solve(nbformat.from_dict(released))))
    assert flags(rebuilt) == ["locked cell duplicated: test-double"]


def test_a_cell_that_was_moved_goes_back(released, work):
    work.cells.append(work.cells.pop(position(work, "test-double")))
    rebuilt = rebuild_on(released, work)
    assert names(rebuilt) == ORDER
    assert flags(rebuilt) == ["cell moved: test-double"]


def test_a_locked_cell_that_changed_its_type_is_restored(released, work):
    cell(work, "test-double").cell_type = "markdown"
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "test-double").cell_type == "code"
    assert flags(rebuilt) == ["locked cell changed to markdown: test-double"]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_solution_with_changed_type_keeps_source(released, work, kind):
    cell(work, "double-function").cell_type = kind
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "double-function").cell_type == "code"
    assert cell(rebuilt, "double-function").source == RIGHT["double-function"]
    assert flags(rebuilt) == [f"solution cell changed to {kind}: double-function"]


def test_a_missing_solution_is_the_stub_of_the_release(released, work):
    del work.cells[position(work, "double-function")]
    rebuilt = rebuild_on(released, work)
    assert "NotImplementedError" in cell(rebuilt, "double-function").source
    assert flags(rebuilt) == ["solution cell deleted: double-function"]


def test_a_copied_solution_runs_after_the_first(released, work):
    copy = nbformat.from_dict(cell(work, "double-function"))
    copy.source = "def double(x): return x + x"
    work.cells.append(copy)
    rebuilt = rebuild_on(released, work)
    first = position(rebuilt, "double-function")
    assert rebuilt.cells[first].source == RIGHT["double-function"]
    assert rebuilt.cells[first + 1].source == copy.source
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
    work.cells.insert(position(work, "test-double"), new_markdown_cell("why"))
    rebuilt = rebuild_on(released, work)
    assert rebuilt.cells[0].source == "first = 1"
    assert rebuilt.cells[position(rebuilt, "test-double") - 1].source == "why"
    assert flags(rebuilt) == []


def test_an_unknown_grade_id_is_the_students_own_cell(released, work):
    extra = new_code_cell("bonus = 1", metadata={"nbgrader": {"grade_id": "bonus", "points": 99}})
    work.cells.append(extra)
    rebuilt = rebuild_on(released, work)
    assert rebuilt.cells[-1].source == "bonus = 1"
    assert rebuilt.cells[-1].metadata == {}
    assert flags(rebuilt) == ["unknown cell, kept as the student's own: bonus"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"schema_version": 1, "points": 1000, "grade": False, "solution": True, "locked": False},
        {"schema_version": 2},
        {"schema_version": {"a": []}, "checksum": 7, "points": "many"},
        {},
    ],
)
def test_what_the_metadata_say_does_not_matter(released, work, metadata):
    test = cell(work, "test-double")
    test.metadata.nbgrader = {**metadata, "grade_id": "test-double"}
    rebuilt = rebuild_on(released, work)
    ours = cell(rebuilt, "test-double").metadata.nbgrader
    assert ours == cell(released, "test-double").metadata.nbgrader
    assert [flag for flag in flags(rebuilt) if flag.startswith("nbgrader schema")]


def test_unrecognized_solution_survives_the_stub(released, work):
    del work.cells[position(work, "test-double")]
    own = cell(work, "triple-function")
    own.update(id="new", metadata={}, source="from mine import triple")
    rebuilt = rebuild_on(released, work)
    stub = position(rebuilt, "triple-function")
    assert "NotImplementedError" in rebuilt.cells[stub].source
    assert sources(rebuilt).index("from mine import triple") > stub
    assert names(rebuilt) == ORDER
    assert "solution cell deleted: triple-function" in flags(rebuilt)


def test_an_answer_keeps_its_pictures(released, work):
    answer = cell(work, "question-1")
    answer.source = "![figure](attachment:a.png)"
    answer.attachments = {"a.png": {"image/png": "aaaa"}}
    assert cell(rebuild_on(released, work), "question-1").attachments == answer.attachments


def test_an_answer_with_blank_lines_added_is_untouched(released, work):
    cell(work, "question-1").source += "\n\n"
    rebuilt = rebuild_on(released, work)
    assert cell(rebuilt, "question-1").source == cell(released, "question-1").source


def test_outputs_are_dropped_and_ids_are_unique(released, work):
    for index, one in enumerate(work.cells):
        one.id = "same"
        if one.cell_type == "code":
            one.outputs = [nbformat.v4.new_output("stream", text=str(index))]
    work.metadata.tinytorch = {"flags": ["forged"]}
    rebuilt = rebuild_on(released, work)
    assert len({c.id for c in rebuilt.cells}) == len(rebuilt.cells)
    assert not any(c.get("outputs") for c in rebuilt.cells)
    assert flags(rebuilt) == []


def test_what_was_noted_while_reading_comes_first(released, work):
    cell(work, "test-double").source = "4.0"
    job = Job("ada", b"", "x.ipynb", "", flags=("renamed: x.ipynb",))
    rebuilt = grade_submission.rebuild(work, job, context(released))
    assert flags(rebuilt) == ["renamed: x.ipynb", "locked cell edited: test-double"]


@pytest.fixture
def later(released) -> NotebookNode:
    """The release after one in which a test, a stub and the course's text were changed."""
    made = nbformat.from_dict(released)
    cell(made, "test-double").source += "\n# more"
    cell(made, "double-function").source += "\n# A hint."
    made.cells[0].source = "# Two and three times"
    made.cells.insert(2, named(new_code_cell("LATER = 1"), "given", locked=True))
    del made.cells[position(made, "rubric-1")]
    return made


def test_compares_with_the_release_a_student_had(released, later, work):
    work.cells.append(new_markdown_cell(released.cells[0].source))
    rebuilt = rebuild_on(later, work, [released])
    assert flags(rebuilt) == []
    assert names(rebuilt) == [n for n in ["setup", "given", *ORDER[1:]] if n != "rubric-1"]
    assert cell(rebuilt, "test-double").source == cell(later, "test-double").source
    assert "Why does it matter?" not in sources(rebuilt), "the course has dropped it"


def test_edit_of_an_earlier_release_is_flagged(released, later, work):
    cell(work, "test-double").source = "4.0"
    del work.cells[position(work, "setup")]
    assert flags(rebuild_on(later, work, [released])) == [
        "locked cell deleted: setup",
        "locked cell edited: test-double",
    ]


def test_earlier_stub_becomes_the_current_stub(released, later):
    rebuilt = rebuild_on(later, released, [released])
    stub = cell(rebuilt, "double-function")
    assert stub.source == cell(later, "double-function").source


def test_current_release_ignores_earlier_ones(released, later):
    assert flags(rebuild_on(later, solve(nbformat.from_dict(later)), [released])) == []
