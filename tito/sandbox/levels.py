"""What isolation this machine gives, and whether that is accepted.

Versions and settings promise; here a probe tries. It runs in a sandbox like a submission's, with
smaller limits, so that reaching them takes no time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tito.errors import TitoError
from tito.sandbox.bubblewrap import find_bwrap, version_of
from tito.sandbox.isolation_probe import IsolationProbe
from tito.sandbox.other_user import new_user
from tito.sandbox.settings import LEVELS, Isolation, Settings

#: How leaks begin that another user alone must not have: what is secret is read, what counts is
#: written, or a process goes on.
_MUST_HOLD = ("reads", "imports", "writes", "takes over", "takes_over", "opens", "leaves")
_NO_BWRAP = "bubblewrap is not installed ('apt-get install bubblewrap')"


def choose(
    requested: str | None = None,
    *,
    settings: Settings | None = None,
    package: Path | None = None,
    secret_folders: Sequence[Path] = (),
    answers: Sequence[str] = (),
) -> Isolation:
    """Find the strongest isolation that this machine gives.

    Parameters
    ----------
    requested : str, optional
        The weakest level that is accepted; "full" by default.
    settings : Settings, optional
        The limits that will be used.
    package : Path, optional
        The package that students' code may see.
    secret_folders : sequence of Path
        Folders that it must not see, such as the course's and the submissions'. The home
        folder is always one.
    answers : sequence of str
        Names of modules that it must not find, such as the one that the assignment exports to.

    Raises
    ------
    TitoError
        If it is weaker than `requested`; the message says what leaks and how to accept it.
    """
    accepted = requested or "full"
    if accepted not in LEVELS:
        raise TitoError(f"isolation must be one of {', '.join(LEVELS)}, got {accepted!r}.")
    found = examine(
        settings=settings, package=package, secret_folders=secret_folders, answers=answers
    )
    if LEVELS.index(found.level) <= LEVELS.index(accepted):
        return found
    leaks = "\n".join(f"  - {leak}" for leak in found.leaks)
    raise TitoError(
        "Students' code cannot be fully isolated on this machine. "
        f"The strongest level is {found.level!r}, and there it gets through:\n{leaks}\n"
        f"Fix this, or accept it with --isolation {found.level}."
    )


def examine(
    *,
    settings: Settings | None = None,
    package: Path | None = None,
    secret_folders: Sequence[Path] = (),
    answers: Sequence[str] = (),
) -> Isolation:
    """Measure the strongest isolation that can be had; see :func:`choose`."""
    settings = settings or Settings()
    bwrap, user = find_bwrap(), os.geteuid()
    if bwrap is None:
        trouble = _NO_BWRAP
    else:
        try:
            leaks = IsolationProbe(True, settings, package, secret_folders, answers).leaks()
        except TitoError as error:
            trouble = str(error)
        else:
            level = "partial" if leaks else "full"
            user = user or settings.user
            return Isolation(level, leaks, str(bwrap), version_of(bwrap), user)
    if user == 0:
        other = _another_user(settings, package, secret_folders, answers)
        if other is not None:
            return replace(other, leaks=(trouble, *other.leaks))
    try:
        leaks = IsolationProbe(False, settings, package, secret_folders, answers).leaks()
    except TitoError as error:
        return Isolation("none", (trouble, str(error), "nothing is stopped"), user=user)
    return Isolation("limits", (trouble, *leaks), user=user)


def _another_user(
    settings: Settings,
    package: Path | None,
    secret_folders: Sequence[Path],
    answers: Sequence[str],
) -> Isolation | None:
    """Return what isolation another user gives, or None where marks could not be trusted."""
    try:
        user = new_user()
        leaks = IsolationProbe(False, settings, package, secret_folders, answers, user).leaks()
    except TitoError:  # this Python lies where only root enters
        return None
    return (
        None
        if any(leak.startswith(_MUST_HOLD) for leak in leaks)
        else Isolation("user", leaks, user=user)
    )
