# Plain lists and loops over single numbers; counts the gradients that each number has had.
#| export
class ShardedAdamW(Optimizer):
    def __init__(
        self,
        parameters,
        communicator,
        learning_rate=0.001,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        weight_decay=0.01,
    ):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        self.communicator = communicator
        self.places = [(p, i) for p in self.parameters for i in np.ndindex(p.data.shape)]
        self.places += [None] * (-len(self.places) % communicator.size)
        count = len(self.places) // communicator.size
        self.mine = range(communicator.rank * count, (communicator.rank + 1) * count)
        self.m, self.v, self.had = [0.0] * count, [0.0] * count, [0] * count
        self.t = 0

    def step(self):
        self.t += 1
        gradients = [
            0.0 if place is None or place[0].grad is None else place[0].grad.data.data[place[1]]
            for place in self.places
        ]
        means = self.communicator.reduce_scatter_mean(np.array(gradients, dtype=np.float64))
        part = [self._new(k, self.places[n], g) for k, (n, g) in enumerate(zip(self.mine, means))]
        whole = self.communicator.all_gather(np.array(part, dtype=np.float64))
        for place, value in zip(self.places, whole):
            if place is not None and place[0].grad is not None:
                place[0].data.data[place[1]] = value

    def _new(self, k, place, g):
        if place is None:
            return 0.0
        p, index = place
        w = float(p.data.data[index])
        if p.grad is None:
            return w
        o = self.groups[0]
        self.had[k] += 1
        n = self.had[k]
        self.m[k] = o["beta1"] * self.m[k] + (1 - o["beta1"]) * g
        self.v[k] = o["beta2"] * self.v[k] + (1 - o["beta2"]) * g * g
        w *= 1 - o["learning_rate"] * o["weight_decay"]
        m, v = self.m[k] / (1 - o["beta1"] ** n), self.v[k] / (1 - o["beta2"] ** n)
        return w - o["learning_rate"] * m / (math.sqrt(v) + o["epsilon"])
