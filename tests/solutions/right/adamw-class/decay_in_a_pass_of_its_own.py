# Decays all weights in a first pass, and takes Adam's steps in a second.
#| export
class AdamW(Optimizer):
    def __init__(
        self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01
    ):
        names = ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")
        values = (learning_rate, beta1, beta2, epsilon, weight_decay)
        super().__init__(parameters, **dict(zip(names, values)))
        self.t = 0
        self.m = [0.0] * len(self.parameters)
        self.v = [0.0] * len(self.parameters)

    def _with_gradient(self):
        return ((i, p, o) for i, p, o in self.each_parameter() if p.grad is not None)

    def step(self):
        self.t = self.t + 1
        for _, p, o in self._with_gradient():
            p.data = p.data - o["learning_rate"] * o["weight_decay"] * p.data
        for i, p, o in self._with_gradient():
            p.data = Tensor(p.data.data + self._change(i, p.grad.data.data, **o))

    def _change(self, i, g, learning_rate, beta1, beta2, epsilon, **rest):
        self.m[i] = beta1 * self.m[i] + (1 - beta1) * g
        self.v[i] = beta2 * self.v[i] + (1 - beta2) * np.square(g)
        first = self.m[i] / (1 - np.power(beta1, self.t))
        second = self.v[i] / (1 - np.power(beta2, self.t))
        return -learning_rate * first / (second**0.5 + epsilon)
