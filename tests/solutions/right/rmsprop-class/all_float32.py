# Computes everything in float32.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = [np.zeros(p.data.shape, np.float32) for p in self.parameters]

    def step(self):
        for i, p, options in self.each_parameter():
            if p.grad is None:
                continue
            rate, alpha, epsilon = map(
                np.float32, (options["learning_rate"], options["alpha"], options["epsilon"])
            )
            g = np.float32(p.grad.data.data)
            self.v[i] = alpha * self.v[i] + (np.float32(1) - alpha) * g * g
            p.data = Tensor(np.float32(p.data.data) - rate * g / (np.sqrt(self.v[i]) + epsilon))
