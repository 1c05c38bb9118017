# One long float64 vector for all velocities; each parameter has a window of it.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        ends = np.cumsum([p.data.data.size for p in parameters])
        self._flat = np.zeros(int(ends[-1]) if len(ends) else 0)
        self.velocity = np.split(self._flat, ends[:-1]) if len(ends) else []

    def step(self):
        for window, p in zip(self.velocity, self.parameters):
            if p.grad is None:
                continue
            window *= self.momentum
            window += p.grad.data.data.ravel()
            p.data = Tensor(p.data.data - (self.learning_rate * window).reshape(p.data.shape))

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
