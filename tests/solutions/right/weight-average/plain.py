# A generator with contextmanager and try/finally; new arrays at each update.
#| export
class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.parameters = parameters
        self.decay = decay
        self.averages = [p.data.data.copy() for p in parameters]

    def update(self):
        for i, p in enumerate(self.parameters):
            self.averages[i] = self.decay * self.averages[i] + (1 - self.decay) * p.data.data

    @contextmanager
    def applied(self):
        kept = [p.data.data.copy() for p in self.parameters]
        try:
            for p, average in zip(self.parameters, self.averages):
                p.data = Tensor(average)
            yield
        finally:
            for p, weights in zip(self.parameters, kept):
                p.data = Tensor(weights)
