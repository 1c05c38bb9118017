"""How fast grading is: `python -m benchmarks.grading`, or `make bench-grading`."""
