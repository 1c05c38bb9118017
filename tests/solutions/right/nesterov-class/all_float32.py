# Computes everything in float32.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = [np.zeros(p.data.shape, np.float32) for p in self.parameters]

    def step(self):
        for i, p, options in self.each_parameter():
            if p.grad is None:
                continue
            rate, mu, decay = map(
                np.float32,
                (options["learning_rate"], options["momentum"], options["weight_decay"]),
            )
            w = np.float32(p.data.data)
            g = np.float32(p.grad.data.data) + decay * w
            self.velocity[i] = mu * self.velocity[i] + g
            p.data = Tensor(w - rate * (g + mu * self.velocity[i]))
