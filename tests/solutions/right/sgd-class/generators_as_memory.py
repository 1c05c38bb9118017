# Each parameter has a generator that remembers its velocity between two sends.
#| export
def _remember(optimizer, key):
    gradient = yield
    while True:
        before = optimizer.velocity.get(key)
        now = gradient if before is None else optimizer.momentum * before + gradient
        optimizer.velocity[key] = now
        gradient = yield now


class SGD:
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        self.parameters = tuple(parameters)
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}
        self._memories = {}
        for parameter in self.parameters:
            memory = _remember(self, id(parameter))
            next(memory)
            self._memories[id(parameter)] = memory

    def step(self):
        for parameter in filter(lambda p: p.grad is not None, self.parameters):
            v = self._memories[id(parameter)].send(parameter.grad.data.data.copy())
            parameter.data -= self.learning_rate * v

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None
