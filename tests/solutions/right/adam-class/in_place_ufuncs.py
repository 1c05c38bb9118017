# In place with out= and scratch arrays, moments made at construction, corrections as one factor.
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
        self.t = 0

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad.data.data
            m, v, w = self.m[i], self.v[i], p.data.data
            scratch = np.empty_like(w)
            np.multiply(g, 1 - self.beta1, out=scratch)
            np.multiply(m, self.beta1, out=m)
            np.add(m, scratch, out=m)
            np.multiply(g, g, out=scratch)
            np.multiply(scratch, 1 - self.beta2, out=scratch)
            np.multiply(v, self.beta2, out=v)
            np.add(v, scratch, out=v)
            np.divide(v, 1 - self.beta2**self.t, out=scratch)
            np.sqrt(scratch, out=scratch)
            np.add(scratch, self.epsilon, out=scratch)
            np.divide(m, scratch, out=scratch)
            np.multiply(scratch, self.learning_rate / (1 - self.beta1**self.t), out=scratch)
            np.subtract(w, scratch, out=w)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None
