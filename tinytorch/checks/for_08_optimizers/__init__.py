"""What the graded cells of `08_optimizers` check, a module a cell."""
