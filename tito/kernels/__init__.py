"""Grading by many workers: kernels that are forked warm, jobs that are bytes, one writer."""
