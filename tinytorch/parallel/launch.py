"""Start the processes of a parallel run on this machine, and wait for them."""

from __future__ import annotations

import importlib.util
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tinytorch.parallel.errors import ParallelError

_INSTALL = "python -m pip install mpi4py mpich cloudpickle"


def unavailable() -> str | None:
    """Say in one sentence why no processes can be started here; None where they can.

    They are not started while a notebook is graded or validated: a kernel under limits is no
    place to measure, and the processes would cost each submission a second.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return "No further processes are started while a notebook is graded or validated."
    absent = [name for name in ("mpi4py", "cloudpickle") if not importlib.util.find_spec(name)]
    if not absent and _find_mpiexec() is None:
        absent = ["mpiexec"]
    if absent:
        return f"Starting processes needs {', '.join(absent)}, not installed here: {_INSTALL}"
    return None


def launch(function: Callable, *arguments: Any, ranks: int = 2, timeout: float = 120) -> list[Any]:
    """Call a function in several new processes of this machine; return what each returned.

    Parameters
    ----------
    function : callable
        Called in each process as ``function(ranks, *arguments)``, where its first argument is the
        `Ranks` of that process. It may be defined in a notebook: it travels by value.
    *arguments
        What else it is called with.
    ranks : int, default 2
        The number of processes, at least 1.
    timeout : float, default 120
        Seconds after which the processes are ended.

    Returns
    -------
    list
        The results, by rank.

    Raises
    ------
    ParallelError
        If processes cannot be started here, or one of them fails (all are ended then).
    NotImplementedError
        If that is what the function raises: code still to be written fails as it does elsewhere.
    """
    if ranks < 1:
        raise ValueError(f"ranks must be at least 1, got {ranks!r}")
    reason = unavailable()
    if reason:
        raise ParallelError(reason)
    import cloudpickle

    with tempfile.TemporaryDirectory(prefix="tinytorch-") as scratch:
        folder = Path(scratch)
        (folder / "task.pickle").write_bytes(cloudpickle.dumps((function, arguments)))
        command = mpi_command(["-m", "tinytorch.parallel.worker", str(folder)], ranks)
        code, said = _run(command, environment(ranks), timeout)
        unfinished = folder / "unfinished.txt"
        if unfinished.exists():
            raise NotImplementedError(unfinished.read_text())
        failures = sorted(folder.glob("failed-*.txt"))
        if code or failures:
            raise ParallelError(_explain(code, said, [path.read_text() for path in failures]))
        results = [folder / f"result-{rank}.pickle" for rank in range(ranks)]
        return [pickle.loads(path.read_bytes()) for path in results]


def mpi_command(arguments: Sequence[str], ranks: int) -> list[str]:
    """Return the command that runs this Python with these arguments, in so many processes."""
    mpiexec = _find_mpiexec()
    if mpiexec is None:
        raise ParallelError(f"mpiexec was not found. Run: {_INSTALL}")
    return [mpiexec, "-n", str(ranks), sys.executable, *arguments]


def environment(ranks: int) -> dict[str, str]:
    """Return the environment of the processes: this one's modules, one thread for each rank."""
    made = dict(os.environ)
    made["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    for library in ("OPENBLAS", "OMP", "MKL"):
        made.setdefault(f"{library}_NUM_THREADS", "1")
    if ranks > (os.cpu_count() or 1):
        # A rank waits by asking again and again, and keeps the core from the one it waits for.
        # So MPICH shall sleep in between, and Open MPI, which refuses at first, shall start them.
        made.setdefault("MPIR_CVAR_ENABLE_HEAVY_YIELD", "1")
        made.setdefault("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
    return made


def _find_mpiexec() -> str | None:
    # The wheels put it beside the Python they are installed for, which need not be on the path.
    beside = str(Path(sys.executable).parent)
    return shutil.which("mpiexec", path=beside) or shutil.which("mpiexec")


def _run(command: list[str], env: dict[str, str], timeout: float) -> tuple[int, str]:
    """Run a command in a session of its own; whatever ends this call ends the whole session."""
    process = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=timeout)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGTERM)  # mpiexec passes it on to its processes
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ParallelError(f"the processes were not done within {timeout:g} s") from None
        raise
    return process.returncode, said


def _explain(code: int, said: str, failures: list[str]) -> str:
    if failures:
        return "\n".join(failures)
    own = [line for line in said.splitlines() if line.startswith("rank ")]
    if own:
        return "\n".join(own)
    return how_it_ended(code)


def how_it_ended(code: int) -> str:
    """Say what the exit code of mpiexec tells of the process that failed first."""
    number = abs(code) - 128 if abs(code) > 128 else abs(code)
    if number in {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGSEGV,
                  signal.SIGTERM}:  # fmt: skip
        how = f"was killed by {signal.Signals(number).name}"
    else:
        how = f"ended with exit code {code}"
    return f"a process {how}, and the others were ended with it"
