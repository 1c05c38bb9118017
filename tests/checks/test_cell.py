"""A graded cell: parts, points, report."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from tinytorch.checks import MIME_TYPE, Checks, ChecksFailed, Report, Student
from tinytorch.checks.observe import WrongReturnError


def cell(*results) -> Checks:
    """Make a cell with a part of two points for each value that should have been 1."""
    checks = Checks("test-x", points=2 * len(results), names=[])
    for result in results:

        def exercise(student, result=result):
            """Give one."""
            if isinstance(result, BaseException):
                raise result
            return {"value": result}

        checks.part(exercise, 2, expect={"value": 1}, hint="Think.")
    return checks


def report_of(*results) -> Report:
    return cell(*results).report(Student({}))


def test_each_part_earns_its_points_or_none():
    assert [part.earned for part in report_of(1, 5, 1).parts] == [2, 0, 2]
    assert report_of(1, 5, 1).earned == 4


def test_all_parts_run_although_one_raises():
    report = report_of(RuntimeError("no"), 1)
    assert [part.earned for part in report.parts] == [0, 2]
    assert report.parts[0].problem.got == "RuntimeError: no"


def test_after_an_interrupt_no_further_part_runs():
    report = report_of(1, KeyboardInterrupt(), 1)
    assert [part.earned for part in report.parts] == [2, 0, 0]
    assert "not run" in report.parts[2].problem.got


def test_points_that_do_not_add_up_are_refused():
    checks = Checks("test-x", points=3, names=[])
    checks.part(lambda student: {}, 2, expect={}, hint="")
    with pytest.raises(ValueError, match="must add up to 3 points, got 2"):
        checks.report(Student({}))


def test_a_part_of_no_points_is_advice():
    checks = cell(1)
    checks.part(lambda student: {"value": 2}, 0, expect={"value": 1}, hint="Better.")
    checks.run()
    report = checks.report(Student({}))
    assert (report.earned, report.passed) == (2, True)
    assert "does not count" in str(report)


def test_an_exception_that_stops_several_parts_is_told_in_full_once():
    text = str(report_of(RuntimeError("no"), 1, RuntimeError("no"), RuntimeError("else")))
    assert text.count("got:      RuntimeError: no\n") == 1
    assert text.count("got:      the same RuntimeError as above") == 1
    assert "RuntimeError: else" in text


def declare(namespace: dict, grade_id: str, source: str) -> Report:
    """Run a graded cell with one part that returns an expression; it should be 1."""
    module: dict = {}
    exec(f"def exercise(student):\n    return {{'v': {source}}}\n", module)
    checks = namespace[grade_id] = Checks(grade_id, points=2, names=[])
    checks.part(module["exercise"], 2, expect={"v": 1}, hint="Think.")
    return checks.report(Student(namespace))


def test_parts_that_need_a_name_that_is_not_there_are_one_line():
    checks = Checks("test-x", points=5, names=[])
    checks.part(lambda student: {"v": student.SGD}, 2, expect={"v": 1}, hint="Velocity?")
    checks.part(lambda student: {"v": student.SGD}, 2, expect={"v": 1}, hint="Velocity?")
    checks.part(lambda student: {"v": 1}, 1, expect={"v": 1}, hint="")
    report = checks.report(Student({}))
    assert str(report).splitlines()[:2] == [
        "test-x: 1 of 5 points",
        "  no      0/4  SGD is not defined here: no cell that ran defines it; 2 parts need it",
    ]
    for text in (str(report), report.html()):
        assert "Velocity" not in text and "NameError" not in text


def test_a_missing_return_is_told_once():
    error = WrongReturnError("train() must return two numbers, got None")
    text = str(report_of(error, error))
    assert text.count("got:      None\n") == text.count("Is a return missing?") == 1
    assert text.count("got:      the same as above") == 1


def test_a_part_that_fails_because_of_an_earlier_cell_points_to_it():
    namespace: dict = {"__name__": "notebook"}
    exec(
        compile("def step():\n    return 2\ndef fit():\n    return step()", "<c>", "exec"),
        namespace,
    )
    assert not declare(namespace, "test-step", "student.step()").passed
    (part,) = declare(namespace, "test-all", "student.step() + 1").parts
    assert ("first", "test-step (0 of 2 points), which is about step") in part.details()
    (part,) = declare(namespace, "test-other", "len('ab')").parts
    assert part.earlier == ""


def test_an_object_that_cannot_be_looked_at_costs_no_report():
    class Hostile(type):
        def __getattribute__(cls, name):
            raise RuntimeError(name)

    namespace: dict = {"__name__": "notebook", "step": Hostile("step", (), {})}
    assert declare(namespace, "test-step", "student.step.size").earned == 0


def test_an_earlier_cell_that_holds_is_not_pointed_to():
    namespace: dict = {"__name__": "notebook"}
    exec(compile("def step():\n    return 1", "<c>", "exec"), namespace)
    assert declare(namespace, "test-step", "student.step()").passed
    (part,) = declare(namespace, "test-all", "student.step() + 1").parts
    assert part.earned == 0 and part.earlier == ""


def test_an_open_todo_is_told_once_and_every_part_is_listed():
    todo = NotImplementedError("TODO in f: write it.")
    report = report_of(todo, todo)
    assert str(report).count("TODO in f: write it.") == report.html().count("TODO in f") == 1
    assert str(report).count("todo") == 2


def test_values_of_several_lines_stay_under_each_other():
    checks = Checks("test-x", points=1, names=[])
    checks.part(lambda student: {"value": 0}, 1, expect={"value": [[1, 2], [3, 4]]}, hint="")
    lines = str(checks.report(Student({}))).split("\n")
    first = next(number for number, line in enumerate(lines) if "expected:" in line)
    assert lines[first].index("[1, 2]") == lines[first + 1].index("[3, 4]")


def test_run_raises_with_expected_got_and_hint():
    with pytest.raises(ChecksFailed) as failed:
        cell(1, 5).run()
    text = str(failed.value)
    for piece in ("test-x: 2 of 4 points", "expected: 1", "got:      5", "hint:     Think."):
        assert piece in text
    assert failed.value.report.earned == 2


def test_run_is_silent_where_all_holds():
    cell(1, 1).run()


def test_a_report_survives_its_way_through_json():
    report = report_of(1, 5, NotImplementedError("TODO: x"))
    assert Report.from_data(json.loads(json.dumps(report.data()))) == report


def test_html_escapes_what_students_print():
    report = report_of(ValueError("<script>alert(1)</script>"))
    assert "<script>" not in report.html() and "&lt;script&gt;" in report.html()


@pytest.fixture(scope="module")
def outputs():
    """Outputs of a graded cell with one part that holds and one that does not, in a kernel."""
    code = (
        "from tinytorch.checks import Checks\n"
        "checks = Checks('test-x', points=5, names=['one'])\n"
        "checks.part(lambda student: {'a': student.one}, 3, expect={'a': 1}, hint='h')\n"
        "checks.part(lambda student: {'a': 2}, 2, expect={'a': 1}, hint='h')\n"
        "if __name__ == '__main__':\n"
        "    checks.show(1)\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    return notebook.cells[0].outputs


def test_in_a_notebook_the_report_is_a_table_a_text_and_data(outputs):
    shown = outputs[0]
    assert shown.output_type == "display_data"
    assert "test-x: 3 of 5 points" in shown.data["text/plain"]
    assert "<table" in shown.data["text/html"]
    assert shown.data[MIME_TYPE]["earned"] == 3


def test_in_a_notebook_the_points_are_the_result_that_nbgrader_reads(outputs):
    assert [output.output_type for output in outputs] == ["display_data", "execute_result"]
    assert float(outputs[1].data["text/plain"]) == 3.0
    assert outputs[1].data["text/html"] == "<small>3 of 5 points, for nbgrader</small>"


def test_the_parts_about_one_method_are_shown_alone(capsys):
    checks = Checks("test-x", points=3, names=["one"])
    checks.part(lambda student: {"v": student.one}, 1, expect={"v": 1}, hint="h", about="first")
    checks.part(lambda student: {"v": student.one}, 2, expect={"v": 2}, hint="h", about="second")
    report = checks.report_on("second", Student({"one": 1}))
    assert (report.points, [part.points for part in report.parts]) == (2, [2])
    assert checks.reported is None
    with pytest.raises(ValueError, match="about must be one of first, second, got 'third'"):
        checks.report_on("third", Student({}))


def test_what_a_cell_hands_over_is_used_whatever_the_notebook_calls_so():
    checks = Checks("test-x", points=1, names=["one"])
    checks.part(lambda student: {"v": student.one}, 1, expect={"v": 1}, hint="h")
    checks.run(1)
    with pytest.raises(ChecksFailed):
        checks.run(2)
