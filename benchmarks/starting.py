"""What is paid once a process: imports, and loops that are compiled or read from the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

from benchmarks.measure import Measured

_LOOPS = """from tinytorch.compiled import *
for loop in (sgd_loop, momentum_loop, adam_loop): assert compile_loop(loop, np.dtype("float32"))"""
IMPORTS = {
    "numpy": "import numpy",
    "tinytorch": "import tinytorch",
    "tinytorch.core.optimizers": "import tinytorch.core.optimizers",
    "tinytorch.core.fused": "import tinytorch.core.fused",
}
COMPILING = {"numba": "import numba", "compile three loops": _LOOPS, "from disk": _LOOPS}


def processes(rounds: int, tick: Callable[[], object]) -> dict[str, Measured]:
    """Time each in a fresh process, by its own processor time, all of them once a round.

    What is compiled is beside the import of numba, which is taken off in its round.
    """
    measured = {name: Measured() for name in (*IMPORTS, *COMPILING)}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            seconds = {name: _seconds(code, cache) for name, code in (IMPORTS | COMPILING).items()}
        for name in list(COMPILING)[1:]:
            seconds[name] -= seconds["numba"]
        for name, one in seconds.items():
            measured[name].seconds.append(one)
        tick()
    return measured


def _seconds(code: str, cache: str) -> float:
    text = f"import time\nbegin = time.process_time()\n{code}\nprint(time.process_time() - begin)"
    answer = subprocess.run(
        [sys.executable, "-c", text],
        env=os.environ | {"NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout)
