# A rate of 0 counts as not given and becomes 0.01.
# expect-loss: test-sgd
#| export
class SGD:
    """Stochastic gradient descent with heavy-ball momentum."""

    def __init__(
        self, parameters: list[Variable], learning_rate: float = 0.01, momentum: float = 0.0
    ) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate or 0.01
        self.momentum = momentum
        self.velocity = {}

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for param in self.parameters:
            if param.grad is None:
                continue
            update = param.grad.data.data
            if self.momentum > 0:
                old = self.velocity.get(id(param), 0.0)
                update = self.momentum * old + update
                self.velocity[id(param)] = update
            param.data = Tensor(param.data.data - self.learning_rate * update)

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values and velocities stay."""
        for param in self.parameters:
            param.grad = None
