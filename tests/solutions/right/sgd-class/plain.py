# The equations line by line, with the velocity in a dictionary by the parameter's index.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def step(self):
        for i, param in enumerate(self.parameters):
            if param.grad is None:
                continue
            update = param.grad.data.data
            if self.momentum > 0:
                self.velocity[i] = self.momentum * self.velocity.get(i, 0.0) + update
                update = self.velocity[i]
            param.data = Tensor(param.data.data - self.learning_rate * update)

    def zero_grad(self):
        for param in self.parameters:
            param.grad = None
