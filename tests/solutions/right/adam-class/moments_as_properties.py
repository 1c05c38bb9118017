# A small class for the average of anything; m, v and t are properties that read it.
#| export
class _Average:
    def __init__(self):
        self.value, self.count = 0.0, 0

    def add(self, x, beta):
        self.value = beta * self.value + (1.0 - beta) * x
        self.count += 1
        return self.value / (1.0 - beta**self.count)


class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate, self.epsilon = learning_rate, epsilon
        self.beta1, self.beta2 = beta1, beta2
        self._averages = [(_Average(), _Average()) for _ in self.parameters]
        self._calls = 0

    @property
    def m(self):
        return [first.value for first, _ in self._averages]

    @property
    def v(self):
        return [second.value for _, second in self._averages]

    @property
    def t(self):
        return self._calls

    def step(self):
        self._calls += 1
        for parameter, (first, second) in zip(self.parameters, self._averages):
            if parameter.grad is None:
                continue
            g = parameter.grad.data.data.astype(np.float64)
            m, v = first.add(g, self.beta1), second.add(g * g, self.beta2)
            w = parameter.data.data
            parameter.data = Tensor(w - self.learning_rate * m / (np.sqrt(v) + self.epsilon))

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None
