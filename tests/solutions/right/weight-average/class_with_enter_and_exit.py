# applied() returns an object with __enter__ and __exit__ instead of a generator.
#| export
class _Applied:
    def __init__(self, parameters, averages):
        self.parameters, self.averages = parameters, averages

    def __enter__(self):
        self.weights = [parameter.data for parameter in self.parameters]
        for parameter, average in zip(self.parameters, self.averages):
            parameter.data = Tensor(average.copy())

    def __exit__(self, kind, error, trace):
        for parameter, weights in zip(self.parameters, self.weights):
            parameter.data = weights
        return False


class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.parameters, self.decay = list(parameters), decay
        self.averages = [np.array(parameter.data.data) for parameter in self.parameters]

    def update(self):
        for average, parameter in zip(self.averages, self.parameters):
            average += (1 - self.decay) * (parameter.data.data - average)

    def applied(self):
        return _Applied(self.parameters, self.averages)
