# Velocities are Tensors, and Tensor arithmetic does the work.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = defaultdict(lambda: None)

    def _direction(self, key, gradient):
        if self.momentum == 0:
            return gradient
        old = self.velocity[key]
        self.velocity[key] = Tensor(gradient) if old is None else old * self.momentum + gradient
        return self.velocity[key]

    def step(self):
        for key, p in enumerate(self.parameters):
            if p.grad is not None:
                p.data = p.data - self._direction(key, p.grad.data) * self.learning_rate

    def zero_grad(self):
        for p in self.parameters:
            p.zero_grad()
