"""Where a kernel lives: its environment, and outside bubblewrap its folders too."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tito.sandbox.bubblewrap import HOME, PACKAGE

#: Python runs it at start. An editable install, by path or by import hook, is the whole checkout:
#: the answer, and the tests of the tests, would be importable through it.
_SITECUSTOMIZE = """
import os, sys
kept = (sys.prefix, sys.base_prefix, *os.environ["PYTHONPATH"].split(os.pathsep))
sys.path[:] = [path for path in sys.path if path.startswith(kept) or not path]
sys.meta_path[:] = [
    finder for finder in sys.meta_path
    if not getattr(finder, "__module__", "").startswith("__editable__")
]
"""


def environment(home: Path, temporary: Path, imports: Sequence[Path] = ()) -> dict[str, str]:
    """Make the environment of a kernel: nothing of its owner's, and the same everywhere.

    Parameters
    ----------
    home, temporary : Path
        The folders for settings and for temporary files.
    imports : sequence of Path
        First folders on the import path, before anything that is installed.
    """
    made = dict(
        HOME=str(home),
        IPYTHONDIR=str(home / "ipython"),
        JUPYTER_CONFIG_DIR=str(home / "jupyter"),
        JUPYTER_DATA_DIR=str(home / "jupyter"),
        JUPYTER_RUNTIME_DIR=str(home / "jupyter"),
        LANG="C.UTF-8",
        LOGNAME="student",
        MPLCONFIGDIR=str(home / "matplotlib"),
        # One thread: timings are steadier, and a notebook's arrays are too small for more.
        MKL_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        PATH=os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",
        PYTHONNOUSERSITE="1",
        TMPDIR=str(temporary),
        USER="student",
    )
    if imports:
        made["PYTHONPATH"] = os.pathsep.join(map(str, imports))
    return made


def prepare(folder: Path, package: str, fonts: Mapping[str, bytes]) -> dict[str, str]:
    """Make the folders of a kernel outside bubblewrap; return its environment.

    Parameters
    ----------
    folder : Path
        Where they go; the working directory is ``work`` in it.
    package : str
        Folder that goes first on the import path, if any.
    fonts : mapping of str to bytes
        Files for matplotlib's folder.
    """
    for name in ("home/matplotlib", "site", "tmp", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(_SITECUSTOMIZE)
    for name, content in fonts.items():
        (folder / "home" / "matplotlib" / name).write_bytes(content)
    imports = [folder / "site", *([Path(package)] if package else [])]
    return environment(folder / "home", folder / "tmp", imports)


def environment_inside(package: Path | None) -> dict[str, str]:
    """Return the environment of a process in bubblewrap."""
    return environment(HOME, Path("/tmp"), [PACKAGE] if package else [])
