# Moments by interpolation, effective rate with epsilon rescaled by the root of the correction; PyTorch's counts.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m, self.v = {}, {}
        self.t = 0
        self.seen = [0] * len(parameters)

    def step(self):
        self.t = self.t + 1
        for k, p in enumerate(self.parameters):
            if p.grad is not None:
                g = p.grad.data.data
                self.seen[k] += 1
                m, v = self.m.get(k, 0.0 * p.data.data), self.v.get(k, 0.0 * p.data.data)
                self.m[k] = m = m + (1 - self.beta1) * (g - m)
                self.v[k] = v = v + (1 - self.beta2) * (np.square(g) - v)
                root2 = math.sqrt(1 - self.beta2 ** self.seen[k])
                rate = self.learning_rate * root2 / (1 - self.beta1 ** self.seen[k])
                p.data = Tensor(p.data.data - rate * (m / (np.sqrt(v) + self.epsilon * root2)))

    def zero_grad(self):
        for p in self.parameters:
            p.zero_grad()
