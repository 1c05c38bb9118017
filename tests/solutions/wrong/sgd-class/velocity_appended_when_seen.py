# Appends a velocity for each new gradient, so that a missing one moves all later places.
# expect-loss: test-sgd
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = []
    def step(self):
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad.data.data
            if len(self.velocity) <= i: self.velocity.append(np.zeros_like(g))
            k = min(i, len(self.velocity) - 1)
            v = self.velocity[k] = self.momentum * self.velocity[k] + g
            p.data = Tensor(p.data.data - self.learning_rate * v)
    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
