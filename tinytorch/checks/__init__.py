"""Checks of a student's code: drive it, collect plain values, judge them, report.

The four steps are kept apart. :mod:`~tinytorch.checks.observe` runs next to the student's code
and knows no expected value; :mod:`~tinytorch.checks.judge` compares plain data and runs no
student's code; :mod:`~tinytorch.checks.report` shows the verdicts; a graded cell declares what
belongs together with :class:`Checks`.
"""

from tinytorch.checks.cell import Checks, ChecksFailed
from tinytorch.checks.matchers import AnyValue, Between, Contains, GreaterThan, Not, OneOf
from tinytorch.checks.observe import numbers_from, snapshot
from tinytorch.checks.report import MIME_TYPE, Report

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
    "numbers_from",
    "snapshot",
]
