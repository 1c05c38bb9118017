# The moments of the part as two arrays, and AdamW's rule on flat arrays.
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
        n = sum(p.data.size for p in self.parameters)
        self.part = math.ceil(n / communicator.size)
        self.start = communicator.rank * self.part
        self.m = np.zeros(self.part, np.float32)
        self.v = np.zeros(self.part, np.float32)
        self.t = 0

    def _flat(self, arrays):
        flat = np.concatenate([np.ravel(array) for array in arrays])
        missing = self.part * self.communicator.size - flat.size
        return np.concatenate([flat, np.zeros(missing, flat.dtype)])

    def _own(self, arrays):
        return self._flat(arrays)[self.start : self.start + self.part]

    def step(self):
        self.t += 1
        group = self.groups[0]
        rate, beta1, beta2 = group["learning_rate"], group["beta1"], group["beta2"]
        gradients = []
        has_gradient = []
        for p in self.parameters:
            missing = p.grad is None
            gradients.append(np.zeros(p.data.shape) if missing else p.grad.data.data)
            has_gradient.append(np.full(p.data.shape, not missing))
        g = self.communicator.reduce_scatter_mean(self._flat(gradients))
        w = self._own([p.data.data for p in self.parameters])
        keep = ~self._own(has_gradient)
        m = beta1 * self.m + (1 - beta1) * g
        v = beta2 * self.v + (1 - beta2) * g**2
        new = w - rate * group["weight_decay"] * w
        m_hat = m / (1 - beta1**self.t)
        v_hat = v / (1 - beta2**self.t)
        new = new - rate * m_hat / (np.sqrt(v_hat) + group["epsilon"])
        self.m = np.where(keep, self.m, m)
        self.v = np.where(keep, self.v, v)
        new = np.where(keep, w, new)
        whole = self.communicator.all_gather(new)
        position = 0
        for p in self.parameters:
            piece = whole[position : position + p.data.size]
            position += p.data.size
            p.data = Tensor(piece.reshape(p.data.shape))
