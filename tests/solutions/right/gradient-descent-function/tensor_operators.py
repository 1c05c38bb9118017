# Tensor arithmetic and an augmented assignment, which puts a new Tensor in its place.
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Move a parameter one step against its gradient."""
    gradient = parameter.grad
    if gradient is not None:
        parameter.data -= gradient.data * learning_rate
