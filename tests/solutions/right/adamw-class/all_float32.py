# Computes everything in float32, powers and corrections included.
#| export
class AdamW(Optimizer):
    def __init__(
        self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01
    ):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        self.m = [np.zeros(p.data.shape, np.float32) for p in self.parameters]
        self.v = [np.zeros(p.data.shape, np.float32) for p in self.parameters]
        self.t = 0

    def step(self):
        self.t += 1
        for i, p, options in self.each_parameter():
            if p.grad is None:
                continue
            o = {name: np.float32(x) for name, x in options.items() if name != "parameters"}
            one, t, g = np.float32(1), np.float32(self.t), np.float32(p.grad.data.data)
            self.m[i] = o["beta1"] * self.m[i] + (one - o["beta1"]) * g
            self.v[i] = o["beta2"] * self.v[i] + (one - o["beta2"]) * g * g
            m_hat = self.m[i] / (one - o["beta1"] ** t)
            v_hat = self.v[i] / (one - o["beta2"] ** t)
            w = np.float32(p.data.data) * (one - o["learning_rate"] * o["weight_decay"])
            p.data = Tensor(w - o["learning_rate"] * m_hat / (np.sqrt(v_hat) + o["epsilon"]))
