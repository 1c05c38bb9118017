# Element by element with Python floats: no vector arithmetic, no NumPy function.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.t = 0
        self.m = {i: [0.0] * p.data.size for i, p in enumerate(parameters)}
        self.v = {i: [0.0] * p.data.size for i, p in enumerate(parameters)}

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            w, g = p.data.data.reshape(-1), p.grad.data.data.reshape(-1)
            m, v, moved = self.m[i], self.v[i], []
            for k in range(len(w)):
                m[k] = self.beta1 * m[k] + (1 - self.beta1) * float(g[k])
                v[k] = self.beta2 * v[k] + (1 - self.beta2) * float(g[k]) ** 2
                m_hat = m[k] / (1 - self.beta1**self.t)
                v_hat = v[k] / (1 - self.beta2**self.t)
                moved.append(float(w[k]) - self.learning_rate * m_hat / (math.sqrt(v_hat) + self.epsilon))
            p.data = Tensor(np.array(moved).reshape(p.data.shape))

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
