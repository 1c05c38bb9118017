# Returns the parameter flattened to one dimension.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Perform one step of gradient descent on a parameter."""
    if parameter.grad is not None:
        gradient = parameter.grad.data.data
        new = parameter.data.data - learning_rate * gradient
        parameter.data = Tensor(np.ravel(new))
