# Small functions, one for each line of the equations; velocities are Tensors.
#| export
_A, _B, _C = 3.4445, -4.7750, 2.0315


def _once(x):
    gram = x.dot(x.T)
    return _A * x + np.dot(_B * gram + _C * np.linalg.matrix_power(gram, 2), x)


def newton_schulz(matrix, steps=5):
    norm = float((np.asarray(matrix, float) ** 2).sum()) ** 0.5
    x = np.array(matrix) / (norm if norm > 1e-7 else 1e-7)
    turned = x.shape[1] < x.shape[0]
    x = np.transpose(x) if turned else x
    done = 0
    while done < steps:
        x, done = _once(x), done + 1
    return np.transpose(x) if turned else x


def _look_ahead(velocity, gradient, momentum):
    velocity = momentum * velocity + (1 - momentum) * gradient
    return velocity, momentum * velocity + (1 - momentum) * gradient


class Muon(Optimizer):
    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.0, steps=5):
        parameters = list(parameters)
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            steps=steps,
        )
        for parameter in self.parameters:
            self._check(parameter.data.shape)
        self.velocity = [Tensor(np.zeros(p.data.shape, p.data.dtype)) for p in self.parameters]

    @staticmethod
    def _check(shape):
        if len(shape) == 2:
            return
        raise ValueError(f"Muon got a parameter of shape {shape}. Give it to AdamW instead.")

    def step(self):
        for (_, parameter, group), position in zip(self.each_parameter(), range(10**6)):
            if parameter.grad is not None:
                old = self.velocity[position].data
                new, ahead = _look_ahead(old, parameter.grad.data.data, group["momentum"])
                self.velocity[position] = Tensor(new)
                self._move(parameter, newton_schulz(ahead, group["steps"]), group)

    @staticmethod
    def _move(parameter, update, group):
        rate, w = group["learning_rate"], np.array(parameter.data.data, dtype=np.float64)
        w -= rate * group["weight_decay"] * w
        rows, columns = w.shape
        w -= rate * np.sqrt(np.maximum(1.0, rows / columns)) * update
        parameter.data = Tensor(w)
