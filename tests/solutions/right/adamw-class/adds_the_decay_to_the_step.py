# Adds both changes up before the weight moves: the decay of what the weight was, and the step.
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
        self.m = [Tensor(np.zeros_like(p.data.data)) for p in self.parameters]
        self.v = [Tensor(np.zeros_like(p.data.data)) for p in self.parameters]
        self.t = 0

    def step(self):
        self.t += 1
        for i, p, o in self.each_parameter():
            if p.grad is None:
                continue
            g = p.grad.data
            self.m[i] = self.m[i] * o["beta1"] + g * (1 - o["beta1"])
            self.v[i] = self.v[i] * o["beta2"] + g * g * (1 - o["beta2"])
            m_hat = self.m[i].data / (1 - o["beta1"] ** self.t)
            v_hat = self.v[i].data / (1 - o["beta2"] ** self.t)
            direction = m_hat / (np.sqrt(v_hat) + o["epsilon"]) + o["weight_decay"] * p.data.data
            p.data = Tensor(p.data.data - o["learning_rate"] * direction)
