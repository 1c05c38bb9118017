"""Benchmarks of the package against PyTorch: `make bench`. No tests; results are in results/."""
