# Does not think of a missing gradient.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Perform one step of gradient descent on a parameter."""
    if True:
        gradient = parameter.grad.data.data
        parameter.data = Tensor(parameter.data.data - learning_rate * gradient)
