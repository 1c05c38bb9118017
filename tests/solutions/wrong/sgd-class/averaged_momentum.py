# Velocity is an average: the gradient gets a factor (1 - momentum).
# expect-loss: test-sgd
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def step(self):
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad.data.data
            if self.momentum > 0:
                before = self.velocity.get(i, np.zeros_like(g))
                self.velocity[i] = self.momentum * before + (1 - self.momentum) * g
                g = self.velocity[i]
            p.data = Tensor(p.data.data - self.learning_rate * g)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
