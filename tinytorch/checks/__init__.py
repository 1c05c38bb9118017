"""Checks of a student's code: exercise it, collect plain values, judge them, report.

The four steps are kept apart. :mod:`~tinytorch.checks.observe` runs next to the student's code
and knows no expected value; :mod:`~tinytorch.checks.judge` compares plain data and runs no
student's code; :mod:`~tinytorch.checks.report` shows the verdicts. What belongs together is
declared with :class:`Checks`, in ``for_NN_name`` for a chapter's graded cells, and what exercises
the code stands in ``for_NN_name/exercises``: only that goes where submissions run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.checks.cell import Checks, ChecksFailed
    from tinytorch.checks.matchers import AnyValue, Between, Contains, GreaterThan, Not, OneOf
    from tinytorch.checks.observe import numbers_from, snapshot
    from tinytorch.checks.report import MIME_TYPE, Report
    from tinytorch.checks.student import Student

__all__ = [
    "MIME_TYPE",
    "AnyValue",
    "Between",
    "Checks",
    "ChecksFailed",
    "Contains",
    "GreaterThan",
    "Not",
    "OneOf",
    "Report",
    "Student",
    "numbers_from",
    "snapshot",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for: who only shows reports need not wait for NumPy."""
    if name in __all__:
        for file in ("report", "student", "matchers", "observe", "cell"):
            module = import_module(f"{__name__}.{file}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
