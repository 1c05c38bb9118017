# Keeps a record per parameter, and shows its averages as a property.
#| export
from dataclasses import dataclass


@dataclass
class SquareRecord:
    parameter: Variable
    average: Any = 0.0

    def update(self, learning_rate, alpha, epsilon, **rest):
        g = self.parameter.grad.data.data
        self.average = (1 - alpha) * g**2 + alpha * self.average
        scale = learning_rate / (np.sqrt(self.average) + epsilon)
        self.parameter.data = Tensor(self.parameter.data.data - scale * g)


class RMSprop(Optimizer):
    def __init__(self, parameters, learning_rate=0.01, alpha=0.99, epsilon=1e-8):
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self._records = [SquareRecord(p) for p in self.parameters]

    @property
    def v(self):
        return [record.average for record in self._records]

    def step(self):
        for index, parameter, options in self.each_parameter():
            if parameter.grad is not None:
                self._records[index].update(**options)
