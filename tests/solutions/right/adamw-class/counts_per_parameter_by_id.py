# Keeps one small record per parameter by id(), with its own count, as PyTorch does.
#| export
class AdamW(Optimizer):
    def __init__(
        self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01
    ):
        defaults = dict(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)
        defaults.update(beta1=beta1, beta2=beta2)
        super().__init__(parameters, **defaults)
        self.m, self.v, self.counts, self.t = {}, {}, {}, 0

    def step(self):
        self.t += 1
        for group in self.groups:
            for p in group["parameters"]:
                if p.grad is None:
                    continue
                key, g = id(p), p.grad.data.data.astype(np.float64)
                n = self.counts[key] = self.counts.get(key, 0) + 1
                if n == 1:
                    self.m[key], self.v[key] = np.zeros_like(g), np.zeros_like(g)
                self.m[key] += (1 - group["beta1"]) * (g - self.m[key])
                self.v[key] += (1 - group["beta2"]) * (g * g - self.v[key])
                root = np.sqrt(self.v[key]) / math.sqrt(1 - group["beta2"] ** n) + group["epsilon"]
                rate = group["learning_rate"]
                step = rate / (1 - group["beta1"] ** n) * self.m[key] / root
                p.data = Tensor(p.data.data * (1 - rate * group["weight_decay"]) - step)
