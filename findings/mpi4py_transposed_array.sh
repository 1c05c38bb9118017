#!/usr/bin/env bash
# mpi4py 4.1.2 with mpich 5.0.2 (PyPI): `Bcast` of a matrix that is a transposed view fills the other
# ranks' matrices of the same shape in another order, without an error: 0 3 1 4 2 5 becomes 0 1 2 3 4 5.
# A sliced view is refused ("buffer is not contiguous"). The buffer is sent as it lies in memory, and an
# array in Fortran order counts as contiguous (mpi4py, `MPI.Comm.Bcast`); `bcast`, which pickles, keeps
# the values. One would have guessed the error of the slice, or the values as
# `array[i, j]` shows them: two ranks that start from one such weight train two models.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mpich==5.0.2 mpi4py==4.1.2 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import mpi4py
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
weight = np.arange(6.0).reshape(2, 3).T if world.rank == 0 else np.zeros((3, 2))
pickled = world.gather(world.bcast(weight).ravel().astype(int).tolist())
world.Bcast(weight)
received = world.gather(weight.ravel().astype(int).tolist())
try:
    world.Bcast(np.arange(8.0)[::2])
    slice_ = "sent"
except (BufferError, ValueError) as error:
    slice_ = f"{type(error).__name__} {error}"
if world.rank == 0:
    print("mpi4py", mpi4py.__version__)
    print("bcast:", *pickled)
    print("Bcast:", *received)
    print("a slice:", slice_)
PY
said=$("$folder/venv/bin/mpiexec" -n 2 "$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "Bcast: [0, 3, 1, 4, 2, 5] [0, 1, 2, 3, 4, 5]"; bcast gives the first twice; the slice is refused.
grep -qx "bcast: \[0, 3, 1, 4, 2, 5\] \[0, 3, 1, 4, 2, 5\]" <<<"$said"
grep -qx "Bcast: \[0, 3, 1, 4, 2, 5\] \[0, 1, 2, 3, 4, 5\]" <<<"$said"
grep -q "a slice: .*contiguous" <<<"$said"
