# Inherits from SGD.
#| export
class Adam(SGD):
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(parameters, learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m = [0.0] * len(parameters)
        self.v = [0.0] * len(parameters)
        self.t = 0

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None: continue
            g = np.array(p.grad.data.data)
            self.m[i], self.v[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g, self.beta2 * self.v[i] + (1 - self.beta2) * g**2
            p.data = Tensor(p.data.data - self.learning_rate * (self.m[i] / (1 - self.beta1**self.t)) / (np.sqrt(self.v[i] / (1 - self.beta2**self.t)) + self.epsilon))
