# Keeps one small record per parameter by id(), with its own count, as PyTorch does.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m, self.v, self.steps = {}, {}, defaultdict(int)
        self.t = 0

    def step(self):
        self.t += 1
        for p in self.parameters:
            if p.grad is None:
                continue
            key, g = id(p), p.grad.data.data.astype(np.float64)
            self.steps[key] += 1
            if key not in self.m:
                self.m[key], self.v[key] = np.zeros_like(g), np.zeros_like(g)
            self.m[key] += (1 - self.beta1) * (g - self.m[key])
            self.v[key] += (1 - self.beta2) * (g * g - self.v[key])
            first = 1 - math.pow(self.beta1, self.steps[key])
            second = 1 - math.pow(self.beta2, self.steps[key])
            denominator = np.sqrt(self.v[key]) / math.sqrt(second) + self.epsilon
            p.data = Tensor(p.data.data - self.learning_rate / first * self.m[key] / denominator)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
