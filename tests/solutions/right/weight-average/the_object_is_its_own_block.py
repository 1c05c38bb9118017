# applied() returns self, which has __enter__ and __exit__ and a stack of what it has put away.
#| export
class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.decay = decay
        self.parameters = [*parameters]
        self._pairs = {i: p.data.data * 1.0 for i, p in enumerate(self.parameters)}
        self._put_away = []

    @property
    def averages(self):
        return [self._pairs[i] for i in range(len(self.parameters))]

    def update(self):
        for i, p in enumerate(self.parameters):
            self._pairs[i] = np.add(self.decay * self._pairs[i], (1.0 - self.decay) * p.data.data)

    def applied(self):
        return self

    def __enter__(self):
        self._put_away.append([p.data for p in self.parameters])
        for average, p in zip(self.averages, self.parameters):
            p.data = Tensor(np.copy(average))

    def __exit__(self, *error):
        for p, weights in zip(self.parameters, self._put_away.pop()):
            p.data = weights
