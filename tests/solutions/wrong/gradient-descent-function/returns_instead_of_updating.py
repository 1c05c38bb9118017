# Returns the new value and leaves the parameter alone.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Perform one step of gradient descent on a parameter."""
    if parameter.grad is not None:
        gradient = parameter.grad.data.data
        return Tensor(parameter.data.data - learning_rate * gradient)
