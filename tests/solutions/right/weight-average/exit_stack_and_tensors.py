# Averages are Tensors, and an ExitStack calls back what puts each weight in its place again.
#| export
import contextlib


class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.parameters = tuple(parameters)
        self.decay = decay
        self.averages = [Tensor(parameter.data.data) for parameter in self.parameters]

    def update(self):
        pairs = zip(self.averages, self.parameters)
        self.averages = [a * self.decay + p.data * (1 - self.decay) for a, p in pairs]

    @contextlib.contextmanager
    def applied(self):
        with contextlib.ExitStack() as stack:
            for parameter, average in zip(self.parameters, self.averages):
                stack.callback(setattr, parameter, "data", parameter.data)
                parameter.data = Tensor(average.data)
            yield self
