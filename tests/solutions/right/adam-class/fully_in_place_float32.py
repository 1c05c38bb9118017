# Preallocated float32 state and scratch memory, everything with out=.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = [np.zeros_like(p.data.data) for p in parameters]
        self.v = [np.zeros_like(p.data.data) for p in parameters]
        self._scratch = [np.zeros_like(p.data.data) for p in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        c1, c2 = 1 - self.beta1**self.t, 1 - self.beta2**self.t
        for p, m, v, s in zip(self.parameters, self.m, self.v, self._scratch):
            if p.grad is None:
                continue
            g, w = p.grad.data.data, p.data.data
            np.multiply(m, self.beta1, out=m)
            np.multiply(g, 1 - self.beta1, out=s)
            np.add(m, s, out=m)
            np.multiply(v, self.beta2, out=v)
            np.multiply(g, g, out=s)
            np.multiply(s, 1 - self.beta2, out=s)
            np.add(v, s, out=v)
            np.divide(v, c2, out=s)
            np.sqrt(s, out=s)
            np.add(s, self.epsilon, out=s)
            np.divide(m, s, out=s)
            np.multiply(s, self.learning_rate / c1, out=s)
            np.subtract(w, s, out=w)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
