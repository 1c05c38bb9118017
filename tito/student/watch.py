"""Notice when a notebook is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

#: A save that happens while nobody watches yet is seen when the file is next looked at.
_LOOK_MILLISECONDS = 1000


class Saves:
    """The saves of a notebook since this was made, for ever.

    The folder is watched and not the file: Jupyter replaces the file when it saves.

    Parameters
    ----------
    notebook : Path
        The notebook; it may be gone for a while.
    """

    def __init__(self, notebook: Path) -> None:
        self._target = notebook.resolve()
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._target.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def __iter__(self) -> Iterator[None]:
        """Yield at every save; several within moments are one."""
        for _ in watch(
            self._target.parent,
            watch_filter=lambda change, path: Path(path) == self._target,
            recursive=False,
            debounce=400,
            step=50,
            rust_timeout=_LOOK_MILLISECONDS,
            yield_on_timeout=True,
        ):
            stamp = self._stamp()
            if stamp is not None and stamp != self._seen:
                self._seen = stamp
                yield
