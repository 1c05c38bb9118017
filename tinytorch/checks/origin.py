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


def one_line(error: BaseException) -> str:
    """Name an exception in one line, even if its own text cannot be had."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:  # a hostile __str__ must not cost more than its own part
        text = ""
    return f"{name}: {text}"[:_MAX_ERROR] if text else name


def origin(error: BaseException, exercise: Callable[..., Any], namespace: dict[str, Any]) -> str:
    """Quote the last line of the notebook that an exception came through.

    Parameters
    ----------
    error : BaseException
        What was raised while a part ran.
    exercise : callable
        The part's.
    namespace : dict
        The notebook's globals.

    Returns
    -------
    str
        The line and whose it is; where only lines of the exercise are left, after which call of the
        student's code it was raised; "" for a name that is missing, or what nobody can tell.
    """
    try:
        steps = list(_trace(error))
        theirs = [step for step in steps if step.tb_frame.f_globals is namespace]
        if theirs:
            return _line(theirs[-1])
        if type(error) is NameError:
            return ""
        ours = [step for step in steps if _is_ours(step.tb_frame.f_globals, exercise)]
        return _after_a_call(error, ours, namespace)
    except BaseException:  # a hostile exception, or code that came out of no cell
        return ""


def _is_ours(module: Mapping[str, Any], exercise: Callable[..., Any]) -> bool:
    """Whether a module is the exercise's, or stands beside it."""
    here = exercise.__globals__.get("__package__")
    return module is exercise.__globals__ or (bool(here) and module.get("__package__") == here)


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
    error: BaseException, steps: list[TracebackType], namespace: Mapping[str, Any]
) -> str:
    """Say which of the student's functions an exercise had called when it could not go on."""
    theirs, text = set(_callables(namespace)), str(error)
    if no_value := "'NoneType'" in text:  # which no call of a class gives
        theirs = {name for name in theirs if not isinstance(namespace.get(name), type)}
    each = (
        _last_named(step.tb_frame.f_code, step.tb_frame.f_globals, theirs, step.tb_lasti)
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


def _callables(namespace: Mapping[str, Any]) -> Iterator[str]:
    """Give the names of a notebook's own functions, classes and methods."""
    for name, value in list(namespace.items()):
        if isinstance(value, type) and value.__module__ == namespace.get("__name__"):
            methods = [n for n, method in vars(value).items() if isinstance(method, FunctionType)]
            if methods:
                yield from (name, *methods)
        elif isinstance(value, FunctionType) and value.__globals__ is namespace:
            yield name


def _last_named(
    code: CodeType, module: Mapping[str, Any], names: set[str], until: float = inf, depth: int = 0
) -> str | None:
    """Return the last of some names that code has before an instruction, or a helper it names."""
    for step in reversed(list(dis.get_instructions(code))):
        value, inner = step.argval, None
        if step.offset >= until:
            continue
        if step.opcode in dis.hasname:
            if value in names:
                return str(value)
            inner = _helper(module.get(value))
        elif isinstance(value, CodeType):  # a comprehension, or a function in a function
            inner = value, module
        if inner is not None and depth < _MAX_HELPERS:
            found = _last_named(*inner, names, depth=depth + 1)
            if found is not None:
                return found
    return None


def _helper(value: Any) -> tuple[CodeType, Mapping[str, Any]] | None:
    """Return the code of a function that an exercise calls, and the module it is in."""
    value = getattr(value, "__wrapped__", value)  # of functools.cache
    return (value.__code__, value.__globals__) if isinstance(value, FunctionType) else None


def names_used(exercise: Callable[..., Any], namespace: dict[str, Any]) -> set[str]:
    """Return the notebook's own names that an exercise uses, also by its helpers."""
    try:
        return _names_used(exercise, set(_callables(namespace)) & namespace.keys())
    except BaseException:  # a hostile object in the notebook
        return set()


def _names_used(exercise: Callable[..., Any], theirs: set[str]) -> set[str]:
    found: set[str] = set()
    waiting: list[tuple[CodeType, Mapping[str, Any]]]
    waiting = [(exercise.__code__, exercise.__globals__)]
    seen: set[CodeType] = set()
    while waiting:
        code, module = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        waiting += [(inner, module) for inner in code.co_consts if isinstance(inner, CodeType)]
        for name in code.co_names:
            if name in theirs:
                found.add(name)
            elif (helper := _helper(module.get(name))) is not None:
                waiting.append(helper)
    return found
