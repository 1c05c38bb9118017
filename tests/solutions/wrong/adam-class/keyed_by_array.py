# Moments are keyed by id of the array, so assigning parameter.data starts them anew.
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
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.m: dict = {}
        self.v: dict = {}
        self.t = 0

    def step(self) -> None:
        """Update every parameter that has a gradient, and count the call in ``t``."""
        self.t += 1
        correction1 = 1.0 - self.beta1**self.t
        correction2 = 1.0 - self.beta2**self.t
        for param in self.parameters:
            if param.grad is None:
                continue
            key = id(param.data.data)
            grad = param.grad.data.data
            if key not in self.m:
                self.m[key] = np.zeros_like(param.data.data)
                self.v[key] = np.zeros_like(param.data.data)
            self.m[key] = self.beta1 * self.m[key] + (1.0 - self.beta1) * grad
            self.v[key] = self.beta2 * self.v[key] + (1.0 - self.beta2) * grad**2
            denominator = np.sqrt(self.v[key] / correction2) + self.epsilon
            update = (self.m[key] / correction1) / denominator
            param.data.data -= self.learning_rate * update

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values, moments and ``t`` stay."""
        for param in self.parameters:
            param.grad = None
