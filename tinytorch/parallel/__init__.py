"""Training on several processes: data parallelism and sharded optimizer state, over MPI.

The engine is MPI, through mpi4py. Of the two that scale past one machine (the other is PyTorch's
gloo) it moves NumPy arrays without a copy, comes as two small wheels, starts a process in a tenth
of a second, and every cluster has it: what runs here under ``mpiexec`` runs there under ``srun``.
On a cluster leave the ``mpich`` wheel out: mpi4py finds the cluster's own MPI.

Nothing of it is imported before :func:`launch` or
:meth:`tinytorch.parallel.ranks.Ranks.world` is called.

``python -m tinytorch.parallel --help`` trains the digits network with it.
"""

from tinytorch.parallel.data_parallel import DataParallel
from tinytorch.parallel.errors import ParallelError
from tinytorch.parallel.launch import launch, unavailable
from tinytorch.parallel.ranks import Ranks
from tinytorch.parallel.sharded import ShardedOptimizer

__all__ = ["DataParallel", "ParallelError", "Ranks", "ShardedOptimizer", "launch", "unavailable"]
