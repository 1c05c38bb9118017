# Betas, powers and moments in float32.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m = [np.zeros(p.shape, dtype=np.float32) for p in parameters]
        self.v = [np.zeros(p.shape, dtype=np.float32) for p in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        one = np.float32(1)
        b1, b2, eps = np.float32(self.beta1), np.float32(self.beta2), np.float32(self.epsilon)
        for p, m, v in zip(self.parameters, self.m, self.v):
            if p.grad is None: continue
            g = p.grad.data.data.astype(np.float32)
            np.add(b1 * m, (one - b1) * g, out=m)
            np.add(b2 * v, (one - b2) * np.square(g), out=v)
            step = np.float32(self.learning_rate) * (m / (one - b1 ** np.float32(self.t))) / (np.sqrt(v / (one - b2 ** np.float32(self.t))) + eps)
            p.data = Tensor(p.data.data - step)

    def zero_grad(self):
        for p in self.parameters: p.grad = None
