"""What a part sees of a student's code: plain data, or one line about an error."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinytorch.checks.observe import Observation, numbers_from, observe, plain, snapshot
from tinytorch.checks.student import Student
from tinytorch.checks.wire import decode, encode
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor


def seen(exercise, seconds=2, **inputs) -> Observation:
    """What an exercise that needs nothing of the student's gives."""
    return observe(lambda student, **given: exercise(**given), Student({}), inputs, seconds)


def test_values_come_back_as_plain_data():
    def drive(a):
        return {"t": (a, np.float32(0.5), np.bool_(True)), "w": Variable([1.0, 2.0]), "n": None}

    values = seen(drive, a=1).values
    assert values["t"] == [1, 0.5, True]
    assert [type(item) for item in values["t"]] == [int, float, bool]
    assert type(values["w"]) is np.ndarray and values["w"].tolist() == [1.0, 2.0]
    assert values["n"] is None


def test_a_part_cannot_change_its_inputs_for_the_next():
    given = {"start": [0.0, 0.0]}

    def drive(start):
        start.append(1.0)
        return {"length": len(start)}

    assert [seen(drive, **given).values["length"] for _ in range(2)] == [3, 3]


def test_a_snapshot_does_not_follow_later_updates():
    w = Variable([1.0])
    before = snapshot(w)
    w.data.data -= 1.0
    assert before.tolist() == [1.0] and snapshot(w).tolist() == [0.0]


@pytest.mark.parametrize("value", [Variable(2.0), Tensor(2.0), np.array(2.0), 2.0, np.float64(2)])
def test_a_snapshot_unwraps_anything_with_an_array(value):
    assert snapshot(value).shape == () and snapshot(value) == 2.0


def test_a_snapshot_sees_through_a_parameter_whose_tensor_was_replaced_by_an_array():
    w = Variable([1.0])
    w.data = np.array([3.0])
    assert snapshot(w).tolist() == [3.0]


def test_a_snapshot_of_none_is_none():
    assert snapshot(None) is None


class Equal:
    """An object that claims to be equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Liar(float):
    """A number that claims the same."""

    __eq__, __hash__ = Equal.__eq__, None


ENDLESS: list = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "value",
    [
        *(Equal(), Liar(1.0), ENDLESS, object(), b"bytes", 1j, {1, 2}),
        *(np.array(["a"]), np.array([None]), np.zeros(200_000)),
        *(np.complex128(1j), np.longdouble(1), np.datetime64("2026-01-01"), np.timedelta64(1, "s")),
        *(np.bytes_(b"b"), np.void(b"v"), 10**5000, -(10**5000), [{"deep": 2**200}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_or_json_cannot_carry_is_refused(value):
    told = seen(lambda: {"x": value})
    assert "NotPlainError" in told.error and told.values == {}


@pytest.mark.parametrize(
    "value", [np.str_("s"), np.int8(1), np.float16(0.5), np.bool_(True), 2**199, "x" * 20_000]
)
def test_whatever_is_plain_can_be_sent_and_read(value):
    values = seen(lambda: {"x": value}).values
    assert decode(json.loads(json.dumps(encode(values), allow_nan=False))) == values


def test_an_array_subclass_comes_back_as_a_plain_array():
    class Liar(np.ndarray):
        pass

    assert type(plain(np.zeros(2).view(Liar))) is np.ndarray


class Hostile(Exception):
    """An exception that cannot be printed."""

    def __str__(self):
        raise RuntimeError


TODO = "TODO in SGD.step: update."


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("two\nlines"), Observation({}, "ValueError: two lines")),
        (SystemExit(3), Observation({}, "SystemExit: 3")),
        (Hostile(), Observation({}, "Hostile")),
        (NotImplementedError(TODO), Observation({}, TODO, unfinished=True)),
        (KeyboardInterrupt(), Observation({}, "the cell was interrupted", interrupted=True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_raised_costs_only_its_part_and_is_told_in_one_line(raised, told):
    def drive():
        raise raised

    assert seen(drive) == told


def test_no_file_is_opened_to_quote_a_line(tmp_path):
    path = tmp_path / "secret"
    path.write_text("a secret\n")
    namespace: dict = {"__name__": "notebook"}
    exec(compile("def drive():\n    1 / 0", str(path), "exec"), namespace)
    told = observe(lambda student: student.drive(), Student(namespace), {}, 1).error
    assert told == "ZeroDivisionError: division by zero\nline 2 of its cell, in drive"


@pytest.fixture
def busy_machine(monkeypatch):
    """The clock never stops a part: others may take most of the processor from it."""
    monkeypatch.setattr(sys.modules["tinytorch.checks.observe"], "PATIENCE", 1000)


def test_an_endless_part_is_stopped(busy_machine):
    def drive():
        while True:
            pass

    assert seen(drive, 0.1).error == "it did not finish within 0.1 s of processor time"


def test_a_part_that_waits_longer_than_its_processor_time_goes_on():
    def drive():
        time.sleep(1.2)
        return {"x": 1}

    assert seen(drive, 1.0).values == {"x": 1}


def test_a_part_that_waits_for_ever_is_stopped_by_the_clock():
    told = seen(lambda: time.sleep(60), 0.1)
    assert told.error == "it did not finish within 0.4 s"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of children that run")
def test_the_processor_time_of_a_parts_children_counts(busy_machine):
    def drive():
        subprocess.run([sys.executable, "-c", "while True: pass"])

    assert seen(drive, 0.5).error == "it did not finish within 0.5 s of processor time"


def test_an_endless_part_that_catches_every_exception_is_stopped():
    def drive():
        for _ in range(100):
            try:
                time.sleep(10)
            except Exception:
                continue

    assert "did not finish" in seen(drive, 0.1).error


def test_the_alarm_of_the_process_is_given_back():
    before = signal.getsignal(signal.SIGALRM)
    seen(lambda: {})
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_prints_of_a_part_are_dropped(capsys):
    def drive():
        print("noise")
        print("noise", file=sys.stderr)
        return {}

    assert seen(drive).error is None
    assert capsys.readouterr() == ("", "")


def test_printing_thousands_of_lines_is_named_as_what_took_long():
    def drive():
        while True:
            print("loss")

    told = seen(drive, 0.2).error
    assert told.startswith("it did not finish within 0.")
    assert told.endswith(", in which it printed thousands of lines: print less")


def returning(value):
    def train():
        return value

    return lambda: {"fit": numbers_from(train, 4)}


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (((1.0, 2.0), (3.0, 4.0)), "a tuple of two tuples"),
        ((1.0, 2), "a tuple of two numbers"),
        ([1.0, None, 3.0, 4.0], "a list of four values"),
        ([Variable(1.0)], "a list of one Variable"),
        (np.zeros(3), "an array"),
        ((np.zeros(2), np.zeros(2)), "a tuple of two arrays"),
        (None, "None"),
        (3.0, "a number"),
        ("text", "a str"),
    ],
)
def test_a_wrong_return_says_what_was_expected_and_what_came(value, got):
    assert seen(returning(value)).error == f"train() must return four numbers, got {got}"


def test_four_numbers_of_any_kind_come_back_as_floats():
    mixed = (Variable(1.0), Tensor([2.0]), np.float32(3), 4)
    assert seen(returning(mixed)).values == {"fit": [1.0, 2.0, 3.0, 4.0]}
