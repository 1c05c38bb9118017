"""The tools that compare optimizers beyond a single run."""
