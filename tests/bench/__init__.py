"""How fast grading is: `python -m tests.bench`, or `make bench-grading`."""
