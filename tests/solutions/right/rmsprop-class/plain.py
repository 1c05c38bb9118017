# The equations line by line, with the averages in a dictionary by the parameter's index.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = {}

    def step(self):
        for i, param, options in self.each_parameter():
            if param.grad is None:
                continue
            lr, alpha, epsilon = options["learning_rate"], options["alpha"], options["epsilon"]
            g = param.grad.data.data
            self.v[i] = alpha * self.v.get(i, 0.0) + (1 - alpha) * g * g
            update = lr * g / (np.sqrt(self.v[i]) + epsilon)
            param.data = Tensor(param.data.data - update)
