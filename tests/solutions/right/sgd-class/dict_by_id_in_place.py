# Velocities in a dict by id(), made when needed, all updated in place.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = list(parameters)
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = {}

    def step(self):
        for p in self.parameters:
            if p.grad is None:
                continue
            g = np.array(p.grad.data.data)
            if self.momentum:
                if id(p) in self.velocity:
                    v = self.velocity[id(p)]
                    v *= self.momentum
                    v += g
                else:
                    v = self.velocity[id(p)] = g
                g = v
            p.data.data -= self.learning_rate * g

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
