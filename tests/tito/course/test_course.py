"""Finding the course and its modules."""

from pathlib import Path

import pytest

from tito.course import Course
from tito.errors import TitoError, UnknownModuleError


def test_a_course_is_found_from_a_folder_inside(course):
    assert Course.find(course.root / "modules" / "source" / "01_first") == course


def test_modules_come_in_the_order_of_the_course(course):
    assert [module.name for module in course.modules] == ["01_first", "02_second"]
    assert [module.notebook for module in course.modules] == ["first_dev", "second_dev"]
    assert course.modules[1].exports_to == "tinytorch.core.second"


@pytest.mark.parametrize("name", ["02_second", "02", "second", "sec"])
def test_any_unambiguous_part_of_a_name_will_do(course, name):
    assert course.module(name).name == "02_second"


def test_what_follows_the_number_is_a_whole_name_though_another_module_contains_it(course):
    longer = course.root / "modules" / "source" / "10_modern_second" / "modern_second_dev.py"
    longer.parent.mkdir()
    longer.touch()
    assert course.module("second").name == "02_second"
    with pytest.raises(UnknownModuleError, match="'econd' fits several modules"):
        course.module("econd")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("s", "'s' fits several modules: 01_first, 02_second"),
        ("09_conv", "The modules are: 01_first, 02_second"),
        ("", "The modules are: 01_first, 02_second"),
    ],
)
def test_any_other_name_lists_the_modules(course, name, told):
    with pytest.raises(UnknownModuleError, match=told):
        course.module(name)


def test_nbgrader_has_the_folders_that_the_tools_have():
    course = Course(Path(__file__).parents[3])
    configured = course.nbgrader_config().CourseDirectory
    assert course.root == Path(configured.root)
    for folder, ours in {
        "source": course.notebooks,
        "release": course.release,
        "submitted": course.submitted,
        "autograded": course.autograded,
        "feedback": course.feedback,
    }.items():
        assert course.root / configured[f"{folder}_directory"] == ours


def test_a_source_that_exports_nowhere_is_named(course):
    source = course.modules[0].source
    source.write_text(source.read_text().replace("#| default_exp", "# default"))
    with pytest.raises(TitoError, match="first_dev.py says nowhere what it exports to"):
        _ = Course(course.root).modules[0].exports_to


def test_outside_a_course_names_the_folder(tmp_path):
    with pytest.raises(TitoError, match=f"{tmp_path} is not inside a course"):
        Course.find(tmp_path)
