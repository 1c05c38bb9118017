# The equations line by line, with the moments in dictionaries by the parameter's index.
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
        self.m = {}
        self.v = {}
        self.t = 0

    def step(self):
        self.t += 1
        for i, param, options in self.each_parameter():
            if param.grad is None:
                continue
            lr, decay, epsilon = options["learning_rate"], options["weight_decay"], options["epsilon"]
            beta1, beta2 = options["beta1"], options["beta2"]
            g = param.grad.data.data
            w = param.data.data - lr * decay * param.data.data
            self.m[i] = beta1 * self.m.get(i, 0.0) + (1 - beta1) * g
            self.v[i] = beta2 * self.v.get(i, 0.0) + (1 - beta2) * g * g
            m_hat = self.m[i] / (1 - beta1 ** self.t)
            v_hat = self.v[i] / (1 - beta2 ** self.t)
            update = lr * m_hat / (np.sqrt(v_hat) + epsilon)
            param.data = Tensor(w - update)
