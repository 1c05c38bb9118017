"""`tito grade --watch` for an assignment of several notebooks: a process for each of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tito.autograde.executors import usual_workers
from tito.course import Module
from tito.sandbox.bubblewrap import program

#: What `tito` is, whether or not its folder of programs is on the path.
_TITO = [sys.executable, "-c", "from tito.__main__ import main; main()"]


def watch_each(modules: Sequence[Module], options: Mapping[str, object]) -> int:
    """Watch for each notebook, until an interrupt; return the exit code.

    Parameters
    ----------
    modules : sequence of Module
        The notebooks of an assignment.
    options : mapping of str to object
        More options of `tito grade`, where they have a value.
    """
    shared = {"--workers": -(-usual_workers() // len(modules)), **_chosen(options)}
    if "--scheduler" in shared:
        del shared["--workers"]
    words = [word for name, value in shared.items() for word in _words(name, value)]
    # In sessions of their own: an interrupt reaches each once, by this process, whose end, however
    # it comes, ends them too.
    ending = [program("setpriv"), "--pdeathsig=TERM", *_TITO, "grade", "--watch", *words]
    watchers = [
        subprocess.Popen([*ending, f"{module.name}/{module.notebook}"], start_new_session=True)
        for module in modules
    ]
    while any(watcher.poll() is None for watcher in watchers):
        try:
            for watcher in watchers:
                watcher.wait()
        except KeyboardInterrupt:
            for watcher in watchers:
                watcher.send_signal(signal.SIGINT)
    return max(abs(watcher.returncode) for watcher in watchers) and 1


def _chosen(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value not in (None, False)}


def _words(name: str, value: object) -> list[str]:
    return [name] if value is True else [name, str(value)]
