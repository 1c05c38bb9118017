# Only numbers with a gradient are touched, by a mask; the state is made at the first step.
#| export
class ShardedAdamW(Optimizer):
    def __init__(self, parameters, communicator, **options):
        probe = AdamW([Variable(0.0)], **options).groups[0]
        super().__init__(parameters, **{k: probe[k] for k in probe if k != "parameters"})
        self.communicator = communicator
        self.m = self.v = None
        self.t = 0

    def _matrix(self, arrays):
        rows = self.communicator.size
        flat = np.hstack([np.asarray(a).flatten() for a in arrays])
        table = np.zeros((rows, -(-flat.size // rows)), flat.dtype)
        table.flat[: flat.size] = flat
        return table

    def step(self):
        rank, o = self.communicator.rank, self.groups[0]
        ones = [np.ones(p.data.shape, bool) for p in self.parameters]
        mask = [one & (p.grad is not None) for one, p in zip(ones, self.parameters)]
        grads = [p.grad.data.data if p.grad else 0.0 * p.data.data for p in self.parameters]
        g = self.communicator.reduce_scatter_mean(self._matrix(grads).ravel())
        w, on = self._matrix([p.data.data for p in self.parameters])[rank], self._matrix(mask)[rank]
        if self.m is None:
            self.m, self.v = np.zeros_like(w), np.zeros_like(w)
        self.t += 1
        self.m[on] += (1 - o["beta1"]) * (g[on] - self.m[on])
        self.v[on] += (1 - o["beta2"]) * (g[on] ** 2 - self.v[on])
        w[on] -= o["learning_rate"] * o["weight_decay"] * w[on]
        scale = np.sqrt(self.v[on] / (1 - o["beta2"] ** self.t)) + o["epsilon"]
        w[on] -= o["learning_rate"] / (1 - o["beta1"] ** self.t) * self.m[on] / scale
        whole = self.communicator.all_gather(w)
        for p in self.parameters:
            new, whole = whole[: p.data.size], whole[p.data.size :]
            p.data = Tensor(new.reshape(p.data.shape)) if p.grad is not None else p.data
