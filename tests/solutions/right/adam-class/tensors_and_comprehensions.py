# State in lists of Tensors, rebuilt by comprehensions at each step.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = [Tensor(np.zeros(p.data.shape)) for p in parameters]
        self.v = [Tensor(np.zeros(p.data.shape)) for p in parameters]
        self.t = 0

    @staticmethod
    def _average(old, new, beta):
        return old if new is None else old * beta + new * (1 - beta)

    def step(self):
        self.t += 1
        grads = [None if p.grad is None else p.grad.data for p in self.parameters]
        squares = [None if g is None else g * g for g in grads]
        self.m = [self._average(m, g, self.beta1) for m, g in zip(self.m, grads)]
        self.v = [self._average(v, s, self.beta2) for v, s in zip(self.v, squares)]
        for p, g, m, v in zip(self.parameters, grads, self.m, self.v):
            if g is not None:
                root = Tensor(np.sqrt(v.data / (1 - self.beta2**self.t)))
                p.data = p.data - m / (1 - self.beta1**self.t) / (root + self.epsilon) * self.learning_rate

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
