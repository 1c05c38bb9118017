"""A plain course of nbgrader's is found by its configuration, which names its folders."""

import pytest

from tito.course import Course
from tito.course.nbgrader_course import NbgraderCourse
from tito.errors import TitoError, UnknownModuleError


@pytest.fixture
def root(tmp_path):
    """A course of two assignments, the first with two notebooks and a file beside them."""
    for name in ("ps1/a.ipynb", "ps1/b.ipynb", "ps1/data/x.csv", "ps2/c.ipynb", "header.ipynb"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    configure(tmp_path)
    return tmp_path


def configure(root, *lines):
    (root / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines]))


def test_it_is_found_from_a_folder_inside_and_knows_its_notebooks(root):
    course = Course.find(root / "source" / "ps1")
    assert course == NbgraderCourse(root)
    assert [module.title for module in course.modules] == ["ps1/a", "ps1/b", "ps2"]
    assert [module.notebook for module in course.assignment("ps1")] == ["a", "b"]
    assert [module.notebook for module in course.assignment("ps1/b")] == ["b"]
    with pytest.raises(UnknownModuleError, match="no assignment 'ps'.*ps1, ps2"):
        course.module("ps")


def test_folders_and_gradebook_are_those_of_the_configuration(root):
    configure(
        root,
        'c.CourseDirectory.submitted_directory = "in"',
        'c.CourseDirectory.db_url = "sqlite:///marks.db"',
        "c.Execute.timeout = 90",
    )
    course = Course.find(root)
    assert (course.submitted, course.autograded) == (root / "in", root / "autograded")
    config = course.nbgrader_config()
    assert config.CourseDirectory.db_url == f"sqlite:///{root}/marks.db"
    assert config.ExecuteSubmission.timeout == 90
    assert config.ExecuteSubmission.secret_folders == [str(root), str(root / "in")]


def test_what_lies_beside_the_notebooks_goes_to_students_code_and_no_notebook_does(root):
    course = Course.find(root)
    assert course.files_for_grading(course.module("ps1")) == {"work/data/x.csv": b"{}"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('c.CourseDirectory.root = "/elsewhere"', "root is /elsewhere in"),
        ('c.CourseDirectory.directory_structure = "{student_id}"', "these tools know '{nbgr"),
        ("1 / 0", "nbgrader_config.py cannot be read: ZeroDivisionError"),
    ],
)
def test_a_configuration_that_cannot_be_followed_is_told(root, line, told):
    configure(root, line)
    with pytest.raises(TitoError, match=told):
        Course.find(root)
