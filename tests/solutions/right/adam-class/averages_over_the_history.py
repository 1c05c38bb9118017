# Both moments are weighted sums over all gradients so far.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters; self.learning_rate = learning_rate
        self.beta1 = beta1; self.beta2 = beta2; self.epsilon = epsilon
        self.calls = []
        self._seen = [[] for _ in parameters]

    @property
    def t(self): return len(self.calls)

    def _average(self, gs, beta, power):
        return (1 - beta) * sum(beta ** k * g ** power for k, g in enumerate(reversed(gs)))

    @property
    def m(self): return [self._average(gs, self.beta1, 1) for gs in self._seen if gs]

    @property
    def v(self): return [self._average(gs, self.beta2, 2) for gs in self._seen if gs]

    def step(self):
        self.calls.append(None)
        for gs, p in zip(self._seen, self.parameters):
            if p.grad is None: continue
            gs.append(np.array(p.grad.data.data, dtype=float))
            m = self._average(gs, self.beta1, 1) / (1 - self.beta1 ** self.t)
            v = self._average(gs, self.beta2, 2) / (1 - self.beta2 ** self.t)
            p.data = Tensor(p.data.data - self.learning_rate * m / (np.sqrt(v) + self.epsilon))

    def zero_grad(self):
        for p in self.parameters: p.grad = None
