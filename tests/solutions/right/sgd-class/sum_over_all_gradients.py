# The velocity is the sum over all gradients so far, each with its power of the momentum.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters; self.learning_rate = learning_rate; self.momentum = momentum
        self._history = [[] for _ in parameters]
        self.velocity = {}

    def step(self):
        for i, p in enumerate(self.parameters):
            if p.grad is None: continue
            h = self._history[i]
            h.append(p.grad.data.data.astype(float))
            self.velocity[i] = sum(g * self.momentum ** k for k, g in enumerate(reversed(h)))
            p.data = Tensor(p.data.data - self.learning_rate * self.velocity[i])

    def zero_grad(self):
        for p in self.parameters: p.grad = None
