# Averages in float64; the arrays of the weights stay the same objects and are written to.
#| export
class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.parameters = list(parameters)
        self.decay = float(decay)
        self.averages = [p.data.data.astype(np.float64) for p in self.parameters]

    def update(self):
        for average, p in zip(self.averages, self.parameters):
            average[...] = average * self.decay + p.data.data * (1 - self.decay)

    def _write(self, arrays):
        for p, array in zip(self.parameters, arrays):
            p.data.data[...] = array

    @contextmanager
    def applied(self):
        before = [p.data.data.copy() for p in self.parameters]
        self._write(self.averages)
        try:
            yield
        finally:
            self._write(before)
