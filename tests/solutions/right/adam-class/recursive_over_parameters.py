# Recursion over the parameters instead of a loop; state in lists that grow when needed.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = []
        self.v = []
        self.t = 0

    def step(self):
        self.t += 1
        self._update(0)

    def _update(self, i):
        if i == len(self.parameters):
            return
        p = self.parameters[i]
        if len(self.m) == i:
            self.m.append(np.zeros(p.data.shape))
            self.v.append(np.zeros(p.data.shape))
        if p.grad is not None:
            g = p.grad.data.data
            self.m[i] = self.m[i] + (1 - self.beta1) * (g - self.m[i])
            self.v[i] = self.v[i] + (1 - self.beta2) * (g**2 - self.v[i])
            m = self.m[i] / (1 - self.beta1**self.t)
            v = self.v[i] / (1 - self.beta2**self.t)
            p.data = Tensor(p.data.data - self.learning_rate * m / (v**0.5 + self.epsilon))
        self._update(i + 1)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
