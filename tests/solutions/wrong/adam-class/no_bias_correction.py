# Uses the moments as they are, without dividing by 1 - beta ** t.
# expect-loss: test-adam
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m = [np.zeros(p.data.shape) for p in parameters]
        self.v = [np.zeros(p.data.shape) for p in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad.data.data
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g * g
            step = self.learning_rate * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon)
            p.data = Tensor(p.data.data - step)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
