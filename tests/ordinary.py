"""Commands that root runs as somebody else, since a sandbox is not the same for both."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tito.sandbox.bubblewrap import find_bwrap, program

ROOT = Path(__file__).resolve().parents[1]
#: Nobody in particular, who owns nothing on the machine.
USER = 12345


def as_ordinary_user(*command: str, cwd: Path) -> list[str]:
    """Return a command that runs another one in a folder as :data:`USER`, on all of the machine.

    What this Python and the course need may lie below folders that only root enters.
    """
    ids = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]
    return [
        *(str(find_bwrap()), "--bind", "/", "/", "--dev-bind", "/dev", "/dev"),
        *("--bind", "/proc", "/proc", *_opened(Path(sys.base_prefix), Path(sys.prefix), ROOT)),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"),
        *(program("setpriv"), *ids, program("env"), f"--chdir={cwd}", *command),
    ]


def _opened(*needed: Path) -> Iterator[str]:
    """Return bubblewrap's options by which anybody may enter some folders."""
    for path in needed:
        closed = [parent for parent in path.parents if not parent.stat().st_mode & 0o001]
        if closed:
            yield from ("--perms", "0755", "--tmpfs", str(closed[-1]))
            for parent in reversed(path.parents):
                if parent.is_relative_to(closed[-1]) and parent != closed[-1]:
                    yield from ("--perms", "0755", "--dir", str(parent))
            yield from ("--ro-bind", str(path), str(path))


def give(folder: Path) -> None:
    """Make :data:`USER` the owner of a folder and of all that it holds; links are not followed."""
    for top, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(top, name), USER, USER, follow_symlinks=False)
