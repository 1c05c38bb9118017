# All parameters share one velocity.
# expect-loss: test-sgd
#| export
class SGD:
    """SGD optimizer with optional momentum."""

    def __init__(self, parameters: List[Variable], learning_rate: float = 0.01, momentum: float = 0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = 0.0

    def step(self) -> None:
        for i, param in enumerate(self.parameters):
            if param.grad is None:
                continue
            update = param.grad.data.data
            if self.momentum > 0:
                self.velocity = self.momentum * self.velocity + update
                update = self.velocity
            param.data = Tensor(param.data.data - self.learning_rate * update)

    def zero_grad(self) -> None:
        for param in self.parameters:
            param.grad = None
