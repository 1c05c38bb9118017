# Adds gradients up instead of averaging them: the division by the norm takes the factor out.
#| export
def newton_schulz(matrix, steps=5):
    if matrix.shape[0] > matrix.shape[1]:
        return newton_schulz(matrix.T, steps).T
    X = np.divide(matrix, np.maximum(np.sqrt(np.square(matrix).sum()), 1e-7))
    unit = np.eye(len(X), dtype=X.dtype)
    for _ in range(steps):
        A = np.einsum("ij,kj->ik", X, X)
        X = (3.4445 * unit + A @ (-4.7750 * unit + 2.0315 * A)) @ X
    return X


class Muon(Optimizer):
    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.0, steps=5):
        given = dict(locals())
        names = ("learning_rate", "momentum", "weight_decay", "steps")
        super().__init__(parameters, **{name: given[name] for name in names})
        for _, parameter, _ in self.each_parameter():
            if np.ndim(parameter.data.data) != 2:
                raise ValueError(f"{np.shape(parameter.data.data)} must go to AdamW, not to Muon")
        self.velocity = [None for _ in self.parameters]

    def step(self):
        for index, parameter, group in self.each_parameter():
            if parameter.grad is None:
                continue
            gradient = parameter.grad.data
            before = self.velocity[index]
            after = gradient if before is None else group["momentum"] * before + gradient
            self.velocity[index] = after
            ahead = gradient + group["momentum"] * after
            update = newton_schulz(ahead.data, group["steps"])
            rows, columns = update.shape
            length = group["learning_rate"] * (math.sqrt(rows / columns) if rows > columns else 1)
            decayed = parameter.data * (1 - group["learning_rate"] * group["weight_decay"])
            parameter.data = decayed - length * update
