"""Where an exception came from: a student's line or call, never a line of a check."""

import linecache

import pytest

from tinytorch.checks import origin
from tinytorch.checks.observe import observe
from tinytorch.checks.student import Student

CHECK = """
def drive(student, mode):
    def training_function():
        raise RuntimeError("no loss")
    if mode == "callback":
        return {"x": student.profile(training_function)}
    if mode == "method":
        counter = student.Counter()
        return {"x": counter.count(3) + 1}
    if mode == "list":
        return {"x": [item + 1 for item in student.fit()]}
    if mode == "attribute":
        return {"x": student.Counter().total}
    if mode == "arguments":
        return {"x": student.profile()}
    if mode == "helper":
        counter = student.Counter()
        return {"x": fitted(student)[0]}
    return {"x": student.fit()[0] + "secret"}
def fitted(student):
    return student.fit()
"""
CELL = """
def profile(training_function):
    return training_function()
def fit():
    return {fit}
class Counter:
    def count(self, number):
        return {count}
"""


@pytest.fixture
def told(monkeypatch):
    """Run the check on a cell; return the error and where it came from."""
    monkeypatch.setattr(origin, "CELLS", {"<fit>": "your cell fit"})

    def run(mode: str, fit: str = "[1]", count: str = "number", cell: str = CELL) -> list[str]:
        namespaces: list[dict] = [{"__name__": "notebook"}, {}]
        texts = ("<fit>", cell.format(fit=fit, count=count)), ("<check>", CHECK)
        for (name, source), namespace in zip(texts, namespaces, strict=True):
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            exec(compile(source, name, "exec"), namespace)
        student, check = Student(namespaces[0]), namespaces[1]["drive"]
        return observe(check, student, {"mode": mode}, 1).error.split("\n")

    return run


def test_a_line_of_the_student_is_quoted_with_number_cell_and_function(told):
    assert told("method", count="number + missing") == [
        "NameError: name 'missing' is not defined",
        "line 8 of your cell fit, in Counter.count: return number + missing",
    ]


def test_where_the_check_raises_in_a_call_by_the_student_their_line_is_quoted(told):
    assert told("callback")[1].endswith("in profile: return training_function()")


def test_where_the_check_itself_raises_the_call_before_is_named_and_no_line(told):
    assert told("index") == [
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        "the check had called fit() and could not use what that gave or left behind",
    ]


@pytest.mark.parametrize(("mode", "name"), [("method", "count"), ("list", "fit"), ("index", "fit")])
def test_a_missing_return_is_suspected_of_the_last_call(told, mode, name):
    error, where = told(mode, fit="None", count="None")
    assert "'NoneType'" in error
    assert where == f"the check had called {name}() and met None; is a return missing?"


def test_a_name_that_the_check_misses_is_told_alone(told):
    assert told("list", cell="x = 1") == ["NameError: name 'fit' is not defined"]


def test_a_cell_without_a_name_is_its_cell(told, monkeypatch):
    monkeypatch.setattr(origin, "CELLS", {})
    assert told("list", fit="1 / 0")[1] == "line 5 of its cell, in fit: return 1 / 0"
