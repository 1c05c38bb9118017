"""The steps of `SGD` and `Adam` in one pass over memory, by loops that numba compiles.

`tinytorch.core.fused` uses them where the extra ``compiled`` is installed; nothing else imports
numba. ``NUMBA_DISABLE_JIT=1`` switches them off for a process. Machine code is kept on disk: in
``__pycache__`` or, where nothing can be written there, in the user's cache folder.

Students do not get this module. The loops are an answer, and they stand in for no `step` but ours.
"""

import ast
import hashlib
import importlib
import inspect
import math
import pickle
import textwrap
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

Loop = Callable[..., None]
Row = tuple[np.ndarray, ...]


def sgd_loop(w: np.ndarray, g: np.ndarray, rate: float) -> None:
    """Take a step of SGD without momentum."""
    for i in range(w.size):
        w[i] -= g[i] * rate


def momentum_loop(
    w: np.ndarray, g: np.ndarray, v: np.ndarray, rate: float, momentum: float
) -> None:
    """Take a step of SGD with momentum."""
    for i in range(w.size):
        velocity = v[i] * momentum + g[i]
        v[i] = velocity
        w[i] -= velocity * rate


def adam_loop(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    beta1: float,
    gain1: float,
    beta2: float,
    gain2: float,
    epsilon: float,
    rate: float,
) -> None:
    """Take a step of Adam; a gain is 1 - beta, and the corrections are in epsilon and rate."""
    for i in range(w.size):
        first = m[i] * beta1 + g[i] * gain1
        second = v[i] * beta2 + g[i] * g[i] * gain2
        m[i] = first
        v[i] = second
        w[i] -= first / (np.sqrt(second) + epsilon) * rate


@cache
def compile_loop(loop: Loop, dtype: np.dtype) -> Loop | None:
    """Return a loop as machine code, or None where it is left to NumPy.

    That is where numba is not installed or switched off, for dtypes other than float32 and float64
    in this machine's byte order, and, with one warning, where numba does not work with this Python
    or this NumPy.

    Parameters
    ----------
    loop : callable
        Its arguments are annotated: ``np.ndarray`` for a contiguous array of one dimension,
        ``float`` for a number of the same dtype.
    dtype : dtype
        Of the arrays.
    """
    numba = _import_numba()
    if numba is None or dtype not in (np.dtype("=f4"), np.dtype("=f8")):
        return None
    number = numba.from_dtype(dtype)
    arguments = inspect.signature(loop).parameters.values()
    types = numba.void(*[number[::1] if a.annotation is np.ndarray else number for a in arguments])
    # Not `fastmath`: it gives other bits. Not `parallel`: its threads end the process in a child
    # after a fork (OpenMP), or where two threads of Python meet in them (workqueue).
    options = {"nogil": True, "error_model": "numpy"}
    try:
        try:
            return numba.njit(types, cache=True, **options)(loop)
        except (RuntimeError, OSError, EOFError, pickle.UnpicklingError):  # no cache can be used
            return numba.njit(types, **options)(loop)
    except numba.core.errors.NumbaError as error:
        _warn(error)
        return None


@cache
def _import_numba() -> Any:
    """Return numba where it works and is switched on, else None."""
    try:
        numba: Any = importlib.import_module("numba")
    except ModuleNotFoundError as error:
        if error.name != "numba":
            _warn(error)
        return None
    except (ImportError, AttributeError, OSError, SystemError) as error:  # not made for this NumPy
        _warn(error)
        return None
    return None if numba.config.DISABLE_JIT else numba


def _warn(error: Exception) -> None:
    reason = str(error).strip().split("\n")[0]
    message = f"numba cannot be used, so steps are not compiled: {reason}"
    warnings.warn(message, RuntimeWarning, stacklevel=2)


def one_pass(plain: Any, dtype: np.dtype) -> Any:
    """Return an optimizer that takes the steps of a plain one in one pass, or None.

    Its state and settings are those of the plain one, and so are its steps, to the bit; only which
    of two NaN gives its sign to their sum is open. What a loop cannot do as NumPy does takes the
    plain step: a missing gradient, arrays that have gaps, differ in dtype or share memory, and all
    of it under a `np.errstate` that does more than warn, since a loop reports no overflow.

    Parameters
    ----------
    plain : type
        The plain optimizer.
    dtype : dtype
        Of its parameters.

    Returns
    -------
    type or None
        A subclass of `plain`; None where no loop is known for its `step`, or none can be compiled.
    """
    code = getattr(getattr(plain, "step", None), "__code__", None)
    make, *loops = _RULES.get(_digest(code), (None,))
    compiled = [compile_loop(loop, dtype) for loop in loops]
    return make(plain, *compiled) if make and all(compiled) else None


@cache
def _digest(code: CodeType | None) -> str | None:
    """Return a digest of a function's source without docstring and comments, if it has one."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))  # type: ignore[arg-type]
    except (OSError, SyntaxError, TypeError):
        return None
    function = tree.body[0]
    if isinstance(function, ast.FunctionDef) and ast.get_docstring(function) is not None:
        del function.body[0]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def _rows(parameters: Sequence[Any], *states: Sequence[np.ndarray]) -> list[Row]:
    """Return data, gradient and state of each parameter, or nothing if one does not fit a loop."""
    reported = set(np.geterr().values()) - {"ignore", "warn"}
    if reported or any(p.grad is None for p in parameters) or not all(states):
        return []
    pairs = [(p.data.data, p.grad.data.data) for p in parameters]
    rows = [(*pair, *state) for pair, *state in zip(pairs, *states, strict=True)]
    return rows if all(map(_fits, rows)) else []


def _fits(row: Row) -> bool:
    w, g, *_ = row
    alike = all(a.dtype == w.dtype and a.shape == w.shape and a.flags.carray for a in row)
    return alike and w.ndim == 1 and not np.may_share_memory(w, g)


def _run(loop: Loop, row: Row, *numbers: float) -> None:
    """Take a step, with numbers cast as NumPy casts those of Python."""
    loop(*row, *map(row[0].dtype.type, numbers))


#: In the place of scratch memory, which only a plain step needs.
_NOTHING = np.empty(0, np.uint8)


def _one_pass_sgd(plain: Any, without: Loop, with_momentum: Loop) -> Any:
    class OnePassSGD(plain):
        def step(self) -> None:
            rate, momentum = float(self.learning_rate), float(self.momentum)
            rows = _rows(self.parameters, *[self.velocity] * (momentum > 0))
            if not rows:
                super().step()
                self._scratch = _NOTHING
            for row in rows:
                if momentum > 0:
                    _run(with_momentum, row, rate, momentum)
                else:
                    _run(without, row, rate)

    return OnePassSGD


def _one_pass_adam(plain: Any, loop: Loop) -> Any:
    class OnePassAdam(plain):
        def step(self) -> None:
            beta1, beta2, epsilon = self.beta1, self.beta2, self.epsilon
            rows = _rows(self.parameters, self.m, self.v)
            # With a NumPy number the plain rule computes in that number's dtype.
            if not rows or any(isinstance(x, np.generic) for x in (beta1, beta2, epsilon)):
                super().step()
                self._scratch = _NOTHING
                return
            self.t += 1
            for row, missed in zip(rows, self._missed, strict=True):
                n = self.t - missed
                root = math.sqrt(1 - beta2**n)
                rate = float(self.learning_rate) * root / (1 - beta1**n)
                _run(loop, row, beta1, 1 - beta1, beta2, 1 - beta2, epsilon * root, rate)

    return OnePassAdam


#: By the digest of a plain `step`: what takes it, and the loops that were held against it.
_RULES: dict[str | None, tuple[Any, ...]] = {
    "0cb90dd0857c6a25": (_one_pass_sgd, sgd_loop, momentum_loop),
    "2399555c535c9068": (_one_pass_adam, adam_loop),
}
