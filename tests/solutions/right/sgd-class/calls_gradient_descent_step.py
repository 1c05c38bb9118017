# Builds on gradient_descent_step: the velocity takes the gradient's place for a moment.
#| export
class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {i: np.zeros(p.data.shape) for i, p in enumerate(parameters)}

    def step(self):
        for i, p in enumerate(self.parameters):
            gradient = p.grad
            if gradient is None:
                continue
            self.velocity[i] = self.momentum * self.velocity[i] + gradient.data.data
            p.grad = Variable(self.velocity[i], requires_grad=False)
            gradient_descent_step(p, self.learning_rate)
            p.grad = gradient

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
