"""Training on several processes: real ones, started by MPI."""
