# Passes without doing anything.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Perform one step of gradient descent on a parameter."""
    pass
