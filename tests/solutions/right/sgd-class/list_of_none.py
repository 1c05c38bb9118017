# A list of None, filled at the first gradient; the first velocity is a copy of it.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = [None] * len(parameters)

    def step(self):
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

    def zero_grad(self):
        [setattr(param, "grad", None) for param in self.parameters]
