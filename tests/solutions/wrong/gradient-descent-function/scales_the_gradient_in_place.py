# Multiplies the gradient itself by the rate.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Perform one step of gradient descent on a parameter."""
    if parameter.grad is not None:
        gradient = parameter.grad.data.data
        gradient *= learning_rate
        parameter.data = Tensor(parameter.data.data - gradient)
