"""Run a part of a graded cell and keep what came out as plain data.

This is the only code of the package that stands in one process with a student's code. It holds
no expected value and comes to no verdict.
"""

from __future__ import annotations

import contextlib
import copy
import glob
import io
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from tinytorch.checks.origin import one_line, origin
from tinytorch.checks.student import Student

#: Values that are plain as they are.
_ATOMS = (bool, int, float, str, type(None))
_MAX_DEPTH = 8
_MAX_ITEMS = 100_000
_MAX_TEXT = 10_000
_MAX_BITS = 200  # what wire.decode takes, and so what wire.encode is given
#: Lines that a part prints until printing is named where it takes too long.
_MANY_LINES = 2000
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

#: Processor time of a part; a right one takes some milliseconds. By the clock it may take some
#: times as long: it may wait, or share the machine with others.
SECONDS_A_PART, PATIENCE = 3.0, 4.0
#: How often a part that has taken as long by the clock is looked at.
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Observation:
    """What one part saw: values by label, or the error that ended it.

    Attributes
    ----------
    values : dict of str to plain data
        Numbers, strings, booleans, None, arrays, lists and dicts of these.
    error : str or None
        One line that names the exception, where there was one; a second says where it came from.
    unfinished : bool
        Whether the error is the NotImplementedError of a cell not yet written.
    interrupted : bool
        Whether somebody stopped the cell, so that no further part should run.
    """

    values: dict[str, Any]
    error: str | None = None
    unfinished: bool = False
    interrupted: bool = False


class PartTimeout(BaseException):  # noqa: N818 - not an error a student's `except Exception` may eat
    """A part took longer than its limit."""


class NotPlainError(TypeError):
    """A part returned something that is not plain data."""


class WrongReturnError(TypeError):
    """A student's function returned something else than it must."""


def snapshot(value: Any) -> Any:
    """Copy the array out of a Variable, Tensor, array or number, as it is now.

    Parameters
    ----------
    value : Variable, Tensor, array_like or None
        Solutions may update in place, so a part must copy what it saw at the time.

    Returns
    -------
    numpy.ndarray or None
        A copy that no later step can change; None for None.
    """
    for _ in range(3):  # a gradient is a Variable that holds a Tensor that holds an array
        if value is None or isinstance(value, (np.ndarray, np.generic)):
            break
        value = getattr(value, "data", value)
    return None if value is None else np.array(value)


def numbers_from(function: Callable[[], Any], count: int) -> list[float]:
    """Call a student's function that must return so many numbers, and return them as floats.

    Raises
    ------
    WrongReturnError
        If it returned something else.
    """
    returned = function()
    try:
        numbers = [float(np.reshape(snapshot(item), ())) for item in returned]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != count:
        name = getattr(function, "__name__", "your function")
        raise WrongReturnError(
            f"{name}() must return {_several(count, 'number')}, got {_kind(returned)}"
        )
    return numbers


def _kind(value: Any) -> str:
    """Say of what kind a value is, such as "a tuple of two tuples"."""
    noun = _noun(value)
    told = "None" if value is None else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    if not isinstance(value, (list, tuple)):
        return told
    nouns = {"value" if item is None else _noun(item) for item in value}
    return f"{told} of {_several(len(value), nouns.pop() if len(nouns) == 1 else 'value')}"


def _noun(value: Any) -> str:
    if type(value) in (int, float):
        return "number"
    return "array" if isinstance(value, np.ndarray) else type(value).__name__


def _several(count: int, noun: str) -> str:
    word = _COUNTS[count] if count < len(_COUNTS) else str(count)
    return f"{word} {noun}" if count == 1 else f"{word} {noun}s"


def plain(value: Any, depth: int = 0) -> Any:
    """Reduce a value to plain data, copying arrays.

    Raises
    ------
    NotPlainError
        If something else is in it, or it is nested or sized beyond reason.
    """
    if depth > _MAX_DEPTH:
        raise NotPlainError(f"a value is nested more than {_MAX_DEPTH} deep")
    if type(value) in _ATOMS:
        return _bounded_atom(value)
    if isinstance(value, np.generic):
        value = value.item()
        if type(value) not in _ATOMS:  # such as a complex number, a date, or bytes
            raise NotPlainError(f"a value of type {type(value).__name__}")
        return _bounded_atom(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf" or value.size > _MAX_ITEMS:
            raise NotPlainError(f"an array of {value.size} elements of type {value.dtype}")
        return np.array(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in _bounded(value.items())}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in _bounded(value)]
    if hasattr(value, "data"):  # a Variable or a Tensor
        return snapshot(value)
    raise NotPlainError(f"a value of type {type(value).__name__}")


def _bounded_atom(value: Any) -> Any:
    """Cut a text; refuse an integer that JSON could not carry, and no float comes near."""
    if type(value) is int and value.bit_length() > _MAX_BITS:
        raise NotPlainError(f"an integer of {value.bit_length()} bits")
    return value[:_MAX_TEXT] if type(value) is str else value


def _bounded(items: Any) -> Any:
    if len(items) > _MAX_ITEMS:
        raise NotPlainError(f"a collection of {len(items)} items")
    return items


def observe(
    exercise: Callable[..., Mapping[str, Any]],
    student: Student,
    inputs: Mapping[str, Any],
    seconds: float,
) -> Observation:
    """Let an exercise put a student's code to work; keep what it returns, or why it did not.

    Parameters
    ----------
    exercise : callable
        Takes the student and the inputs, returns values by label.
    student : Student
        What the notebook defines.
    inputs : mapping
        Keyword arguments; the exercise gets its own deep copy.
    seconds : float
        Processor time after which the exercise is stopped.

    Returns
    -------
    Observation
        Never raises for anything the student's code does.
    """
    printed = _Discard()

    def told(text: str, error: BaseException) -> Observation:
        where = origin(error, exercise, student.namespace)
        return Observation({}, f"{text}\n{where}" if where else text)

    try:
        with _time_limit(seconds), _silence(printed):
            return Observation(plain(dict(exercise(student, **copy.deepcopy(dict(inputs))))))
    except PartTimeout as limit:
        much = ", in which it printed thousands of lines: print less"
        late = f"it did not finish within {limit}{much if printed.lines >= _MANY_LINES else ''}"
        return told(late, limit)
    except WrongReturnError as wrong:
        return Observation({}, str(wrong))
    except NotImplementedError as error:
        return Observation({}, str(error) or "NotImplementedError", unfinished=True)
    except KeyboardInterrupt:
        return Observation({}, "the cell was interrupted", interrupted=True)
    except BaseException as error:  # whatever a student's code raises, exit() included
        return told(one_line(error), error)


class _Discard(io.TextIOBase):
    """A text stream that keeps nothing and counts lines."""

    lines = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return len(text)


@contextlib.contextmanager
def _silence(sink: io.TextIOBase) -> Iterator[None]:
    """Drop what a student's code prints while a part drives it."""
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise PartTimeout in the block after some processor time, where the platform has timers.

    Without them (Windows, or a thread that is not the main one) the block runs unlimited and
    the limit of the cell must do.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not (
        threading.main_thread()
    ):
        yield
        return

    began, before = monotonic(), _processor_seconds()

    def look(signum: int, frame: Any) -> None:
        if _processor_seconds() - before >= seconds:
            raise PartTimeout(f"{seconds:g} s of processor time")
        if monotonic() - began >= PATIENCE * seconds:
            raise PartTimeout(f"{PATIENCE * seconds:g} s")

    earlier = signal.signal(signal.SIGALRM, look)
    # A loop that swallows the first timeout meets another one.
    signal.setitimer(signal.ITIMER_REAL, seconds, _LOOK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def _processor_seconds() -> float:
    """Return the processor time of this process and of its children, running or waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system + sum(_children())


def _children() -> Iterator[float]:
    """Give the processor time of running children, where the system tells it as Linux does."""
    for tasks in glob.glob("/proc/self/task/*/children"):
        with contextlib.suppress(OSError):
            with open(tasks) as file:
                numbers = file.read().split()
            for number in numbers:
                with open(f"/proc/{number}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                yield sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
