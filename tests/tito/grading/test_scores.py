import pytest
from nbgrader.api import Gradebook

from tinytorch.tito.errors import TitoError
from tinytorch.tito.grading import records, scores
from tinytorch.tito.grading.records import Record


def test_everyone_has_a_row_and_the_cells_stand_in_the_order_of_the_notebook(
    course, module, hand_in
):
    url = course.nbgrader_config().CourseDirectory.db_url
    with Gradebook(url, "tinytorch-optimizers") as book:
        book.add_student("roster only")
    hand_in("handed in")
    hand_in("failed", "{")
    records.save(course, module, Record("failed", "failed", reason="broken", flags=("a", "b")))
    rows = scores.table(course, module)
    assert [(row.student, row.status, row.reason) for row in rows] == [
        ("failed", "failed", "broken"),
        ("handed in", "not graded", "run 'tito grade 08_optimizers'"),
        ("roster only", "missing", ""),
    ]
    assert list(rows[0].points) == ["test-double", "test-triple", "question-1"]
    assert rows[0].max == 15.0
    assert rows[2].points == {"test-double": 0.0, "test-triple": 0.0, "question-1": 0.0}


def test_without_a_release_there_are_no_scores(course, module):
    (course.release / module.name / f"{module.notebook}.ipynb").unlink()
    with pytest.raises(TitoError, match="tito release"):
        scores.table(course, module)


def test_a_record_that_cannot_be_read_is_none(course, module):
    path = records.path_of(course, module, "ada")
    path.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"version": 99}', '{"version": 1, "flags": []}'):
        path.write_text(text)
        assert records.load(course, module, "ada") is None
