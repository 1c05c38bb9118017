"""Say in one line where an exception came from: whose cell, which line, and never one of a check.

This stands in one process with a student's code, as :mod:`tinytorch.checks.observe` does.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Callable, Iterator, Mapping
from math import inf
from types import CodeType, FunctionType, TracebackType
from typing import Any

_MAX_LINE, _MAX_NAME, _MAX_ERROR = 120, 80, 300
#: How deep helpers of a check are followed.
_MAX_HELPERS = 5

#: What cells are called, by the file that their code is compiled as: "your cell sgd-class".
#: Whoever runs cells under names fills this.
CELLS: dict[str, str] = {}
#: The files of graded cells, whose lines are not shown.
CHECKING: set[str] = set()


def one_line(error: BaseException) -> str:
    """Name an exception in one line, even if its own text cannot be had."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a hostile __str__ must not cost more than its own part
        text = ""
    return f"{name}: {text}"[:_MAX_ERROR] if text else name


def origin(error: BaseException, drive: Callable[..., Any]) -> str:
    """Quote the last line of the notebook that an exception came through.

    Parameters
    ----------
    error : BaseException
        What was raised while a part ran.
    drive : callable
        The part.

    Returns
    -------
    str
        The line and whose it is; where only the check's own lines are left, after which call of the
        student's code it was raised; "" for a name that the check misses, or what nobody can tell.
    """
    try:
        namespace = drive.__globals__
        hidden = CHECKING | {drive.__code__.co_filename}
        steps = [s for s in _trace(error) if s.tb_frame.f_globals is namespace]
        theirs = [s for s in steps if s.tb_frame.f_code.co_filename not in hidden]
        if theirs:
            return _line(theirs[-1])
        if type(error) is NameError:
            return ""
        return _after_a_call(error, steps, namespace, hidden)
    except BaseException:  # a hostile exception, or code that came out of no cell
        return ""


def _trace(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def _line(step: TracebackType) -> str:
    """Name and quote a line of a cell."""
    code, number = step.tb_frame.f_code, step.tb_lineno
    where = f"line {number} of {CELLS.get(code.co_filename, 'its cell')}"
    if code.co_name != "<module>":
        where += f", in {' '.join(code.co_qualname.split())[:_MAX_NAME]}"
    # Only what is in the cache: no file is opened for a name that a student's code made up.
    entry: Any = linecache.cache.get(code.co_filename)
    text = entry[2][number - 1].strip()[:_MAX_LINE] if entry else ""
    return f"{where}: {text}" if text else where


def _after_a_call(
    error: BaseException,
    steps: list[TracebackType],
    namespace: Mapping[str, Any],
    hidden: set[str],
) -> str:
    """Say which of the student's functions a check had called when it could not go on."""
    theirs, text = set(_callables(namespace, hidden)), str(error)
    if no_value := "'NoneType'" in text:  # which no call of a class gives
        theirs = {name for name in theirs if not isinstance(namespace.get(name), type)}
    each = (
        _last_named(step.tb_frame.f_code, step.tb_lasti, namespace, theirs, hidden)
        for step in reversed(steps)
    )
    name = next(filter(None, each), None)
    if name is None:
        return ""
    if no_value:
        return f"the check had called {name}() and met None; is a return missing?"
    if isinstance(error, AttributeError):
        return f"the check looked for it after it had called {name}()"
    if isinstance(error, TypeError) and name in text and "argument" in text:
        return f"the check calls {name}() as the text says; compare the arguments"
    return f"the check had called {name}() and could not use what that gave or left behind"


def _callables(namespace: Mapping[str, Any], hidden: set[str]) -> Iterator[str]:
    """Give the names of a notebook's own functions, classes and methods."""
    for name, value in list(namespace.items()):
        if isinstance(value, type) and value.__module__ == namespace.get("__name__"):
            methods = [n for n, method in vars(value).items() if _is_theirs(method, hidden)]
            if methods:
                yield from (name, *methods)
        elif _is_theirs(value, hidden) and value.__globals__ is namespace:
            yield name


def _is_theirs(value: Any, hidden: set[str]) -> bool:
    return isinstance(value, FunctionType) and value.__code__.co_filename not in hidden


def _last_named(
    code: CodeType,
    until: float,
    namespace: Mapping[str, Any],
    names: set[str],
    hidden: set[str],
    depth: int = 0,
) -> str | None:
    """Return the last of some names that code has before an instruction, or a helper it names."""
    for step in reversed(list(dis.get_instructions(code))):
        value, helper = step.argval, None
        if step.offset >= until:
            continue
        if step.opcode in dis.hasname:
            if value in names:
                return str(value)
            helper = _helper(namespace.get(value), hidden)
        elif isinstance(value, CodeType):  # a comprehension, or a function in a function
            helper = value
        if helper is not None and depth < _MAX_HELPERS:
            inner = _last_named(helper, inf, namespace, names, hidden, depth + 1)
            if inner is not None:
                return inner
    return None


def _helper(value: Any, hidden: set[str]) -> CodeType | None:
    """Return the code of a function that a graded cell has for its parts."""
    value = getattr(value, "__wrapped__", value)  # of functools.cache
    ours = isinstance(value, FunctionType) and value.__code__.co_filename in hidden
    return value.__code__ if ours else None


def names_used(drive: Callable[..., Any]) -> set[str]:
    """Return the notebook's own names that a part uses, also by the helpers of its cell."""
    try:
        return _names_used(drive, drive.__globals__)
    except BaseException:  # a hostile object in the notebook
        return set()


def _names_used(drive: Callable[..., Any], namespace: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    theirs = set(_callables(namespace, CHECKING)) & namespace.keys()
    waiting: list[CodeType] = [drive.__code__]
    seen: set[CodeType] = set()
    while waiting:
        code = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        for name in code.co_names:
            helper = _helper(namespace.get(name), CHECKING)
            if name in theirs:
                found.add(name)
            elif helper is not None:
                waiting.append(helper)
    return found
