# Puts the new velocity in: the step is (1 + momentum) * g + momentum**2 * the old velocity.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = [np.zeros(p.data.shape) for p in self.parameters]

    def step(self):
        for i, p, o in self.each_parameter():
            if p.grad is None:
                continue
            mu, old = o["momentum"], self.velocity[i]
            g = np.float64(p.grad.data.data) + o["weight_decay"] * np.float64(p.data.data)
            p.data = Tensor(p.data.data - o["learning_rate"] * ((1 + mu) * g + mu**2 * old))
            self.velocity[i] = mu * old + g
