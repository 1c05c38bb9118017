# Puts the learning rate into the velocity, as Keras does.
# expect-loss: test-sgd
#| export
class SGD:
    """SGD optimizer with optional momentum."""

    def __init__(self, parameters: List[Variable], learning_rate: float = 0.01, momentum: float = 0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def step(self) -> None:
        for i, param in enumerate(self.parameters):
            if param.grad is None:
                continue
            update = param.grad.data.data
            if self.momentum > 0:
                self.velocity[i] = self.momentum * self.velocity.get(i, 0.0) + self.learning_rate * update
                update = self.velocity[i]
                param.data = Tensor(param.data.data - update)
            else:
                param.data = Tensor(param.data.data - self.learning_rate * update)

    def zero_grad(self) -> None:
        for param in self.parameters:
            param.grad = None
