# Private generator that yields parameter and gradient array; velocities in a defaultdict by position.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters, self.learning_rate, self.momentum = parameters, learning_rate, momentum
        self.velocity = defaultdict(float)

    def _with_gradient(self):
        for position, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                yield position, parameter, parameter.grad.data.data

    def step(self):
        for position, parameter, slope in self._with_gradient():
            if self.momentum:
                self.velocity[position] = slope + self.momentum * self.velocity[position]
                slope = self.velocity[position]
            parameter.data = parameter.data - slope * self.learning_rate

    def zero_grad(self):
        [parameter.zero_grad() for parameter in self.parameters]
