# Takes a gradient of zeros for a missing one, so that the velocity does not carry on.
# expect-loss: test-sgd
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = [np.zeros_like(p.data.data) for p in parameters]
    def step(self):
        for i, p in enumerate(self.parameters):
            if p.grad is None or not p.grad.data.data.any():
                continue
            g = p.grad.data.data
            v = self.momentum * self.velocity[i] + g
            self.velocity[i] = v
            p.data = Tensor(p.data.data - self.learning_rate * v)
    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
