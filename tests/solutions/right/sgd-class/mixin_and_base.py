# A base class owns the loop and zero_grad, a mixin the velocity, SGD only the rule.
#| export
class _Loop:
    def __init__(self, parameters):
        self.parameters = list(parameters)

    def step(self):
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                change = self._change(index, parameter.grad.data.data)
                parameter.data = Tensor(parameter.data.data - change)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None


class _Velocity:
    def _velocity_after(self, index, gradient):
        before = self.velocity.setdefault(index, np.zeros_like(gradient))
        self.velocity[index] = self.momentum * before + gradient
        return self.velocity[index]


class SGD(_Velocity, _Loop):
    def __init__(self, parameters, learning_rate=0.01, momentum=0.0):
        super().__init__(parameters)
        self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, {}

    def _change(self, index, gradient):
        return self.learning_rate * self._velocity_after(index, gradient)
