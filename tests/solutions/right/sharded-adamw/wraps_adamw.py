# Gives the pieces of its part that lie in each parameter to an AdamW of its own.
#| export
class ShardedAdamW(Optimizer):
    def __init__(self, parameters, communicator, **options):
        self.communicator, size = communicator, communicator.size
        sizes = [parameter.data.size for parameter in parameters]
        self.length = -(-sum(sizes) // size)
        low = communicator.rank * self.length
        ends = np.cumsum(sizes)
        self.cuts = [
            (max(end - count, low) - (end - count), min(end, low + self.length) - (end - count))
            for end, count in zip(ends, sizes)
        ]
        self.pieces = [
            Variable(np.ravel(p.data.data)[slice(*cut)]) if cut[0] < cut[1] else None
            for p, cut in zip(parameters, self.cuts)
        ]
        self.inner = AdamW([piece for piece in self.pieces if piece is not None], **options)
        known = {name: v for name, v in self.inner.groups[0].items() if name != "parameters"}
        super().__init__(parameters, **known)

    @property
    def m(self):
        return self.inner.m

    @property
    def v(self):
        return self.inner.v

    @property
    def t(self):
        return self.inner.t

    def step(self):
        for name, value in self.groups[0].items():
            if name != "parameters":
                self.inner.groups[0][name] = value
        flat = np.zeros(self.length * self.communicator.size, np.float32)
        at = 0
        for p in self.parameters:
            if p.grad is not None:
                flat[at : at + p.data.size] = np.ravel(p.grad.data.data)
            at += p.data.size
        mean = self.communicator.reduce_scatter_mean(flat)
        at = 0
        for p, piece, cut in zip(self.parameters, self.pieces, self.cuts):
            if piece is None:
                continue
            length = cut[1] - cut[0]
            piece.data = Tensor(np.ravel(p.data.data)[slice(*cut)])
            piece.grad = None if p.grad is None else Variable(mean[at : at + length])
            at += length
        self.inner.step()
        own = np.zeros(self.length, np.float32)
        new = [piece.data.data for piece in self.pieces if piece is not None]
        if new:
            joined = np.concatenate(new)
            own[: len(joined)] = joined
        whole, at = self.communicator.all_gather(own), 0
        for p in self.parameters:
            if p.grad is not None:
                p.data = Tensor(whole[at : at + p.data.size].reshape(p.data.shape))
            at += p.data.size
