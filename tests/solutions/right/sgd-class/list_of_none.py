# A list of None, filled at the first gradient; the first velocity is a copy of it.
#| export
class SGD:
    """SGD optimizer with optional momentum."""

    def __init__(self, parameters: List[Variable], learning_rate: float = 0.01, momentum: float = 0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity: List[Optional[np.ndarray]] = [None] * len(parameters)

    def step(self) -> None:
        for index, param in enumerate(self.parameters):
            if param.grad is None:
                continue
            grad = param.grad.data.data
            if self.velocity[index] is None:
                self.velocity[index] = grad.copy()
            else:
                self.velocity[index] = self.momentum * self.velocity[index] + grad
            new = param.data.data - self.learning_rate * self.velocity[index]
            param.data = Tensor(new, dtype=param.data.dtype)

    def zero_grad(self) -> None:
        [setattr(param, "grad", None) for param in self.parameters]
