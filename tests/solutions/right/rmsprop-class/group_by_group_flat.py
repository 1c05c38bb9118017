# Makes one vector of all gradients of a group, with a root-mean-square kept beside it.
#| export
class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = {}

    def step(self):
        for number, group in enumerate(self.groups):
            rows = [(k, p) for k, p in enumerate(group["parameters"]) if p.grad is not None]
            if not rows:
                continue
            for k, p in rows:
                self.v.setdefault((number, k), np.zeros(p.data.size))
            g = np.concatenate([p.grad.data.data.ravel() for _, p in rows])
            v = np.concatenate([self.v[number, k] for k, _ in rows])
            v = group["alpha"] * v + (1 - group["alpha"]) * np.square(g)
            change = group["learning_rate"] * g / (v**0.5 + group["epsilon"])
            ends = np.cumsum([p.data.size for _, p in rows])[:-1]
            for (k, p), d, part in zip(rows, np.split(change, ends), np.split(v, ends)):
                p.data = Tensor(p.data.data - d.reshape(p.data.shape))
                self.v[number, k] = part
