# Collects what has a gradient first, then updates with functions of arrays.
#| export
def penalized(parameter, weight_decay):
    return parameter.grad.data.data + weight_decay * parameter.data.data


def looks_ahead(gradient, velocity, momentum):
    return gradient + momentum * velocity


class NesterovSGD(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.9, weight_decay=0.0):
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = [0.0 for _ in self.parameters]

    def step(self):
        found = [(i, p, o) for i, p, o in self.each_parameter() if p.grad is not None]
        gradients = {i: penalized(p, o["weight_decay"]) for i, p, o in found}
        for i, p, o in found:
            self.velocity[i] = looks_ahead(gradients[i], self.velocity[i], o["momentum"])
        for i, p, o in found:
            update = looks_ahead(gradients[i], self.velocity[i], o["momentum"])
            p.data = Tensor(p.data.data - o["learning_rate"] * update)
