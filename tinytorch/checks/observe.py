"""Run a part of a graded cell and keep what came out as plain data.

This is the only code of the package that stands in one process with a student's code. It holds
no expected value and comes to no verdict.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import glob
import io
import json
import linecache
import marshal
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from types import TracebackType
from typing import Any

import numpy as np

#: Values that are plain as they are.
_ATOMS = (bool, int, float, str, type(None))
_MAX_DEPTH = 8
_MAX_ITEMS = 100_000
_MAX_TEXT = 10_000
_MAX_BITS = 200  # what wire.decode takes, and so what wire.encode is given
_MAX_LINE = 120

#: Processor time of a part; a right one takes some milliseconds. By the clock it may take some
#: times as long: it may wait, or share the machine with others.
SECONDS_A_PART, PATIENCE = 3.0, 4.0
#: How often a part that has taken as long by the clock is looked at.
_LOOK_SECONDS = 0.2
#: Notebook outputs of this type carry what parts saw, one or a list, while a notebook is graded.
OBSERVATION_TYPE = "application/vnd.tinytorch.observation+json"
#: Characters of observations that wait for more of them, so that no message is a large one.
_SENT_TOGETHER = 100_000
#: How long a part waits until what the one before it saw has left: IPython sends from threads, and
#: a part that ends the process ends these too.
_LEAVING_SECONDS = 0.03


@dataclass(frozen=True)
class Observation:
    """What one part saw: values by label, or the error that ended it.

    Attributes
    ----------
    values : dict of str to plain data
        Numbers, strings, booleans, None, arrays, lists and dicts of these.
    error : str or None
        One line that names the exception, where there was one.
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


def snapshot(value: Any) -> np.ndarray | None:
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
    drive: Callable[..., Mapping[str, Any]], given: Mapping[str, Any], seconds: float
) -> Observation:
    """Call a part on its inputs and keep what it returns, or why it did not.

    Parameters
    ----------
    drive : callable
        The part: drives the student's code, returns values by label.
    given : mapping
        Keyword arguments; the part gets its own deep copy.
    seconds : float
        Processor time after which the part is stopped.

    Returns
    -------
    Observation
        Never raises for anything the student's code does.
    """
    try:
        with _time_limit(seconds), _silence():
            return Observation(plain(dict(drive(**copy.deepcopy(dict(given))))))
    except PartTimeout as limit:
        return Observation({}, f"it did not finish within {limit}")
    except NotImplementedError as error:
        return Observation({}, str(error) or "NotImplementedError", unfinished=True)
    except KeyboardInterrupt:
        return Observation({}, "the cell was interrupted", interrupted=True)
    except BaseException as error:  # whatever a student's code raises, exit() included
        return Observation({}, _one_line(error) + _where(error, drive))


def ask(
    namespace: dict[str, Any], run: str, grade_id: str, question: str, apart: bool = False
) -> None:
    """Drive the parts of a graded cell and publish what each saw.

    Parameters
    ----------
    namespace : dict
        The notebook's; what the cell declares goes there, the parts' functions among it.
    run : str
        What tells this run's outputs from those of any other.
    grade_id : str
        The graded cell.
    question : str
        By :func:`tinytorch.checks.wire.pack`: under "code" what the cell declares, compiled, and
        under "cases" the inputs of each part, encoded as :mod:`tinytorch.checks.wire` does.
    apart : bool
        Whether what a part saw is sent before the next begins, so that one that ends the process
        takes no other part's observation with it. Otherwise they go together, which is cheaper.
    """
    from tinytorch.checks.wire import decode, unpack

    asked = unpack(question)
    exec(marshal.loads(base64.b64decode(asked["code"])), namespace)
    outbox = _Outbox(run, grade_id)
    try:
        _drive(namespace, decode(asked["cases"]), outbox, apart)
    finally:
        outbox.send()


def _drive(
    namespace: Mapping[str, Any], inputs: Mapping[str, Any], outbox: _Outbox, apart: bool
) -> None:
    for name, each in inputs.items():
        for case, given in enumerate(each):
            seen = observe(namespace[name], given, SECONDS_A_PART)
            outbox.add(name, case, seen)
            if seen.interrupted:
                return
            if apart:
                outbox.send()
        if apart:
            sleep(_LEAVING_SECONDS)
        elif outbox.size > _SENT_TOGETHER:
            outbox.send()


def message(run: str, grade_id: str, part: str, case: int, seen: Observation) -> dict[str, Any]:
    """Return what is told of a part in one case, as :mod:`tinytorch.tito.grading.exam` reads it."""
    from tinytorch.checks.wire import encode

    return {
        "version": 1,
        "run": run,
        "grade_id": grade_id,
        "part": part,
        "case": case,
        "values": encode(seen.values),
        "error": seen.error,
        "unfinished": seen.unfinished,
        "interrupted": seen.interrupted,
    }


class _Outbox:
    """What parts saw and nobody was told yet."""

    def __init__(self, run: str, grade_id: str) -> None:
        self._run, self._grade_id = run, grade_id
        self._waiting: list[dict[str, Any]] = []
        self.size = 0

    def add(self, part: str, case: int, seen: Observation) -> None:
        """Add what a part saw in one case."""
        told = message(self._run, self._grade_id, part, case, seen)
        self._waiting.append(told)
        self.size += len(json.dumps(told))

    def send(self) -> None:
        """Publish what waits, as one output."""
        from IPython.display import display

        if self._waiting:
            said = f"{self._grade_id}: {len(self._waiting)} observations"
            display({"text/plain": said, OBSERVATION_TYPE: self._waiting}, raw=True)
            self._waiting, self.size = [], 0


def _one_line(error: BaseException) -> str:
    """Name an exception in one line, even if its own text cannot be had."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a hostile __str__ must not cost more than its own part
        text = ""
    return f"{name}: {text}"[:500] if text else name


def _where(error: BaseException, drive: Callable[..., Any]) -> str:
    """Quote the last line of the notebook that an exception came through."""
    try:
        namespace = drive.__globals__
        frames = [t for t in _trace(error) if t.tb_frame.f_globals is namespace]
        # Only what is in the cache: no file is opened for a name that a student's code made up.
        entry: Any = linecache.cache[frames[-1].tb_frame.f_code.co_filename]
        return f", in the line: {entry[2][frames[-1].tb_lineno - 1].strip()[:_MAX_LINE]}"
    except BaseException:  # a hostile exception, or code that came out of no cell
        return ""


def _trace(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


class _Discard(io.TextIOBase):
    """A text stream that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what a student's code prints while a part drives it."""
    sink = _Discard()
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
