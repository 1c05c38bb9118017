"""matplotlib's list of fonts, made once for all kernels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tito.errors import TitoError

_FONT_SECONDS = 120


def font_lists(folder: Path | None) -> dict[str, bytes]:
    """Return the files that :func:`prepare_fonts` has made, by their names."""
    lists = folder.glob("fontlist-*.json") if folder else ()
    return {path.name: path.read_bytes() for path in lists}


def prepare_fonts(folder: Path) -> Path:
    """Make matplotlib's list of fonts once, for kernels to copy; nothing if it is there."""
    if not any(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "MPLCONFIGDIR": str(folder)}
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        try:
            # Without the list figures are drawn all the same, only later.
            subprocess.run(
                command, env=env, check=False, capture_output=True, timeout=_FONT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            # Students' own cells would wait as long for it, and fail.
            raise TitoError(
                f"matplotlib did not list the fonts of this machine within {_FONT_SECONDS} s. "
                "Grade again when the machine has less to do."
            ) from error
    return folder
