# The equations line by line; velocities in a dictionary, made when first needed.
#| export
def newton_schulz(matrix, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    norm = np.linalg.norm(matrix)
    X = matrix / max(norm, 1e-7)
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    if tall:
        X = X.T
    return X


class Muon(Optimizer):
    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.0, steps=5):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            steps=steps,
        )
        for parameter in self.parameters:
            if parameter.data.ndim != 2:
                raise ValueError(f"shape {parameter.data.shape} is no matrix: give it to AdamW")
        self.velocity = {}

    def step(self):
        for index, parameter, group in self.each_parameter():
            if parameter.grad is None:
                continue
            w = parameter.data.data
            g = parameter.grad.data.data
            rate = group["learning_rate"]
            momentum = group["momentum"]
            v = self.velocity.get(index, np.zeros_like(w))
            v = momentum * v + (1 - momentum) * g
            self.velocity[index] = v
            u = (1 - momentum) * g + momentum * v
            w = w - rate * group["weight_decay"] * w
            rows, columns = w.shape
            scale = math.sqrt(max(1, rows / columns))
            parameter.data = Tensor(w - rate * scale * newton_schulz(u, group["steps"]))
