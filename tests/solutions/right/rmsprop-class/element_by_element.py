# Loops over the elements with Python's own numbers, in lists of lists.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = [[0.0] * p.data.size for p in self.parameters]

    def step(self):
        for i, p, o in self.each_parameter():
            if p.grad is None:
                continue
            values = p.data.data.ravel().tolist()
            for k, g in enumerate(p.grad.data.data.ravel().tolist()):
                self.v[i][k] = math.fsum([o["alpha"] * self.v[i][k], (1 - o["alpha"]) * g * g])
                values[k] -= o["learning_rate"] * g / (math.sqrt(self.v[i][k]) + o["epsilon"])
            p.data = Tensor(np.array(values).reshape(p.data.shape))
