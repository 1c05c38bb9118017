# The Tensors are fetched at construction, so a parameter whose data is replaced is not moved.
# expect-loss: test-adam
#| export
class Adam:
    """Adam: running averages of gradients and of their squares, corrected for their start at 0."""

    def __init__(
        self,
        parameters: list[Variable],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m = [np.zeros_like(p.data.data) for p in parameters]
        self.v = [np.zeros_like(p.data.data) for p in parameters]
        self.t = 0
        self.values = [p.data for p in parameters]

    def step(self) -> None:
        """Update every parameter that has a gradient, and count the call in ``t``."""
        self.t += 1
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad.data.data
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g * g
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            value = self.values[i]
            value.data = value.data - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values, moments and ``t`` stay."""
        for p in self.parameters:
            p.grad = None
