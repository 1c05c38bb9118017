"""What the graded cells of `10_modern_optimizers` check, a module a cell."""
