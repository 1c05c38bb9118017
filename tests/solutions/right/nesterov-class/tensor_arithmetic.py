# Adds and multiplies Tensors, and never touches an array.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        options = {"learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, **options)
        self.velocity = [p.data * 0.0 for p in self.parameters]

    def step(self):
        for i, p, o in self.each_parameter():
            if p.grad is None:
                continue
            g = p.grad.data + o["weight_decay"] * p.data
            self.velocity[i] = o["momentum"] * self.velocity[i] + g
            p.data = p.data - o["learning_rate"] * (g + o["momentum"] * self.velocity[i])
