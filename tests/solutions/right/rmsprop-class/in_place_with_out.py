# Works in place on arrays, with out= and no new memory for the average.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        defaults = dict(learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        Optimizer.__init__(self, parameters, **defaults)
        self.v = list(map(np.zeros_like, (p.data.data for p in self.parameters)))

    def step(self):
        for (_, p, options), v in zip(self.each_parameter(), self.v):
            if p.grad is None:
                continue
            g = p.grad.data.data
            np.multiply(v, options["alpha"], out=v)
            np.add(v, (1 - options["alpha"]) * g * g, out=v)
            p.data.data[...] -= options["learning_rate"] * g / (np.sqrt(v) + options["epsilon"])
