# Loops over the elements with Python's own numbers.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = {}

    def step(self):
        for i, p, o in self.each_parameter():
            if p.grad is None:
                continue
            v = self.velocity.setdefault(i, [0.0] * p.data.size)
            values = []
            for k, (w, g) in enumerate(zip(p.data.data.flat, p.grad.data.data.flat)):
                w, g = float(w), float(g) + o["weight_decay"] * float(w)
                v[k] = o["momentum"] * v[k] + g
                values.append(w - o["learning_rate"] * (g + o["momentum"] * v[k]))
            p.data = Tensor(np.array(values).reshape(p.data.shape))
