# A pure function gives the new value and the new average, both Tensors.
#| export
def rmsprop_rule(w, g, v, learning_rate, alpha, epsilon):
    v = v * alpha + g * g * (1 - alpha)
    return w - learning_rate * g / (Tensor(np.sqrt(v.data)) + epsilon), v


class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = [None] * len(self.parameters)

    def step(self):
        for i, p, group in self.each_parameter():
            if p.grad is None:
                continue
            options = {name: value for name, value in group.items() if name != "parameters"}
            before = Tensor(np.zeros_like(p.data.data)) if self.v[i] is None else self.v[i]
            p.data, self.v[i] = rmsprop_rule(p.data, p.grad.data, before, **options)
