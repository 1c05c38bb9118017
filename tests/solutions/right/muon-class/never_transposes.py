# The product is the same from the other side, so a tall matrix multiplies X.T X from the right.
#| export
def newton_schulz(matrix, steps=5):
    x = matrix / max(np.linalg.norm(matrix), 1e-7)
    rows, columns = x.shape
    for _ in range(steps):
        if rows <= columns:
            gram = x @ x.T
            x = 3.4445 * x + gram @ (-4.7750 * x + 2.0315 * (gram @ x))
        else:
            gram = x.T @ x
            x = 3.4445 * x + (-4.7750 * x + 2.0315 * (x @ gram)) @ gram
    return x


class Muon(Optimizer):
    def __init__(
        self,
        parameters,
        learning_rate=0.02,
        momentum=0.95,
        weight_decay=0.0,
        steps=5,
    ):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            steps=steps,
        )
        self.velocity = []
        for parameter in self.parameters:
            shape = parameter.data.data.shape
            if len(shape) != 2:
                raise ValueError(f"a parameter of shape {shape}: Muon is for matrices, use AdamW")
            self.velocity.append(np.zeros(shape, parameter.data.dtype))

    def step(self):
        for i, p, o in self.each_parameter():
            if p.grad is not None:
                w, g, v = p.data.data, p.grad.data.data, self.velocity[i]
                v[...] = o["momentum"] * v + (1 - o["momentum"]) * g
                u = o["momentum"] * v + (1 - o["momentum"]) * g
                w[...] = w - o["learning_rate"] * o["weight_decay"] * w
                o_t = newton_schulz(u, o["steps"])
                w -= o["learning_rate"] * max(1, w.shape[0] / w.shape[1]) ** 0.5 * o_t
