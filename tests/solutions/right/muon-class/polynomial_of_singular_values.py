# Takes the matrix apart, applies the polynomial to its singular values, and puts it together.
#| export
def newton_schulz(matrix, steps=5):
    left, strengths, right = np.linalg.svd(np.asarray(matrix, np.float64), full_matrices=False)
    strengths = strengths / max(np.sqrt(np.sum(strengths**2)), 1e-7)
    for _ in range(steps):
        strengths = np.polyval([2.0315, 0.0, -4.7750, 0.0, 3.4445, 0.0], strengths)
    return (left * strengths) @ right


class Muon(Optimizer):
    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.0, steps=5):
        options = {"learning_rate": learning_rate, "momentum": momentum}
        super().__init__(parameters, **options, weight_decay=weight_decay, steps=steps)
        wrong = [p.data.shape for p in self.parameters if len(p.data.shape) != 2]
        if wrong:
            raise ValueError(f"Muon takes matrices only, AdamW takes {', '.join(map(str, wrong))}")
        self.velocity = {id(p): np.zeros(p.data.shape) for p in self.parameters}

    def step(self):
        for group in self.groups:
            for p in group["parameters"]:
                if p.grad is not None:
                    self._update(p, np.array(p.grad.data.data, np.float64), group)

    def _update(self, p, g, group):
        mu, lr = group["momentum"], group["learning_rate"]
        v = self.velocity[id(p)]
        v += (1 - mu) * (g - v)
        direction = newton_schulz(g + mu * (v - g), group["steps"])
        rows, columns = p.data.shape
        if rows > columns:
            direction *= (rows / columns) ** 0.5
        p.data = Tensor(p.data.data * (1 - lr * group["weight_decay"]) - lr * direction)
