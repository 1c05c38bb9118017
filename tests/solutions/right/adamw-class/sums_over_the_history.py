# Remembers no moments but uncorrected sums, and divides by the sum of their weights.
#| export
class AdamW(Optimizer):
    def __init__(
        self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01
    ):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        self.m, self.v, self.t = {}, {}, 0
        self._weights = {}

    def step(self):
        self.t += 1
        for i, p, o in self.each_parameter():
            if p.grad is not None:
                g = np.array(p.grad.data.data, np.float64)
                first = self._mean("m", i, g, o["beta1"])
                second = self._mean("v", i, g * g, o["beta2"])
                kept = (1 - o["learning_rate"] * o["weight_decay"]) * p.data.data
                p.data = Tensor(kept - o["learning_rate"] * first / (np.sqrt(second) + o["epsilon"]))

    def _mean(self, moment, key, value, beta):
        sums = getattr(self, moment)
        sums[key] = beta * sums.get(key, 0.0) + value
        self._weights[moment, key] = beta * self._weights.get((moment, key), 0.0) + 1.0
        return sums[key] / self._weights[moment, key]
