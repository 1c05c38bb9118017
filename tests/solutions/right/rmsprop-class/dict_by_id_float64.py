# Keeps averages by id() in float64, moved a share of the way to the square.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = {id(p): np.zeros(p.data.shape, np.float64) for p in self.parameters}

    def step(self):
        for group in self.groups:
            for p in group["parameters"]:
                if p.grad is not None:
                    g = np.asarray(p.grad.data.data, dtype=np.float64)
                    self.v[id(p)] += (1 - group["alpha"]) * (g**2 - self.v[id(p)])
                    root = np.sqrt(self.v[id(p)])
                    p.data = Tensor(p.data.data - group["learning_rate"] * (g / (root + group["epsilon"])))
