# Keeps velocities by id(), updated in place, and moves the array in place too.
#| export
class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = {}

    def step(self):
        for group in self.groups:
            for p in group["parameters"]:
                if p.grad is None:
                    continue
                g = p.grad.data.data.copy()
                if group["weight_decay"]:
                    g += group["weight_decay"] * p.data.data
                if id(p) not in self.velocity:
                    self.velocity[id(p)] = g.copy()
                else:
                    v = self.velocity[id(p)]
                    v *= group["momentum"]
                    v += g
                g += group["momentum"] * self.velocity[id(p)]
                p.data.data[...] = p.data.data - group["learning_rate"] * g
