# State in dictionaries made at the first step, arithmetic in float64, parameters written in place.
#| export
class ShardedAdamW(Optimizer):
    def __init__(self, parameters, communicator, **options):
        defaults = {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999}
        defaults |= {"epsilon": 1e-8, "weight_decay": 0.01}
        super().__init__(parameters, **{**defaults, **options})
        self.comm = communicator
        self.m, self.v, self.t = {}, {}, 0

    def _pad(self, values):
        values = [float(x) for array in values for x in np.ravel(array)]
        while len(values) % self.comm.size:
            values.append(0.0)
        return np.array(values)

    def _mine(self, values):
        return self._pad(values).reshape(self.comm.size, -1)[self.comm.rank]

    def step(self):
        self.t += 1
        o = self.groups[0]
        lr, b1, b2 = (float(o[k]) for k in ("learning_rate", "beta1", "beta2"))
        zeros = [np.zeros(p.data.shape) for p in self.parameters]
        present = [p.grad is not None for p in self.parameters]
        grads = [
            p.grad.data.data if p.grad is not None else z for p, z in zip(self.parameters, zeros)
        ]
        g = self.comm.reduce_scatter_mean(self._pad(grads))
        w = self._mine([p.data.data for p in self.parameters])
        on = self._mine([z + flag for z, flag in zip(zeros, present)])
        m, v = self.m.get("part", 0 * w), self.v.get("part", 0 * w)
        self.m["part"] = m = m + on * (1 - b1) * (g - m)
        self.v["part"] = v = v + on * (1 - b2) * (g * g - v)
        step = (m / (1 - b1**self.t)) / (np.sqrt(v / (1 - b2**self.t)) + o["epsilon"])
        w = w - on * lr * (o["weight_decay"] * w + step)
        numbers = iter(self.comm.all_gather(w))
        for p, flag in zip(self.parameters, present):
            new = np.array([next(numbers) for _ in range(p.data.size)]).reshape(p.data.shape)
            if flag:
                p.data.data[...] = new
