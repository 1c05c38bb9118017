# The gradient is tested by its sum, so one whose entries cancel counts as missing.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Move a parameter one step against its gradient."""
    if parameter.grad is None or not parameter.grad.data.data.sum():
        return
    parameter.data = Tensor(parameter.data.data - learning_rate * parameter.grad.data.data)
