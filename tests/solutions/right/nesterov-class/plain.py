# The equations line by line, with the velocity in a dictionary by the parameter's index.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = {}

    def step(self):
        for i, param, options in self.each_parameter():
            if param.grad is None:
                continue
            lr, mu, decay = options["learning_rate"], options["momentum"], options["weight_decay"]
            g = param.grad.data.data + decay * param.data.data
            self.velocity[i] = mu * self.velocity.get(i, 0.0) + g
            update = lr * (g + mu * self.velocity[i])
            param.data = Tensor(param.data.data - update)
