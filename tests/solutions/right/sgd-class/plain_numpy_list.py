# Velocity always kept, also for momentum 0; NumPy in place.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = [np.zeros_like(p.data.data) for p in parameters]

    def step(self):
        for p, v in zip(self.parameters, self.velocity):
            if p.grad is None:
                continue
            g = p.grad.data.data
            np.multiply(v, self.momentum, out=v)
            np.add(v, g, out=v)
            np.subtract(p.data.data, self.learning_rate * v, out=p.data.data)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
