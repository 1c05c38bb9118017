# With rate 0 the step returns at once, so the velocity misses the gradients of that time.
# expect-loss: test-sgd
#| export
class SGD:
    """Stochastic gradient descent with heavy-ball momentum."""

    def __init__(
        self, parameters: list[Variable], learning_rate: float = 0.01, momentum: float = 0.0
    ) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = [np.zeros_like(p.data.data) for p in parameters]

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        if self.learning_rate == 0:
            return  # nothing will move
        for p, v in zip(self.parameters, self.velocity):
            if p.grad is None:
                continue
            g = p.grad.data.data
            if self.momentum > 0:
                v *= self.momentum
                v += g
                g = v
            p.data.data -= self.learning_rate * g

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values and velocities stay."""
        for p in self.parameters:
            p.grad = None
