# The form at the end of section 2 of the paper: the corrections go into the rate and epsilon.
#| export
class Adam:
    def __init__(self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = defaultdict(float)
        self.v = defaultdict(float)
        self.t = 0

    def step(self):
        self.t = self.t + 1
        root = math.sqrt(1 - self.beta2**self.t)
        rate = self.learning_rate * root / (1 - self.beta1**self.t)
        for parameter in self.parameters:
            if parameter.grad is not None:
                key, g = id(parameter), parameter.grad.data.data
                self.m[key] = self.beta1 * self.m[key] + g - self.beta1 * g
                self.v[key] = self.beta2 * self.v[key] + g * g - self.beta2 * (g * g)
                below = np.sqrt(self.v[key]) + self.epsilon * root
                parameter.data = Tensor(parameter.data.data - rate * self.m[key] / below)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None
