# A dataclass for the optimizer, and one more for the state of each parameter.
#| export
from dataclasses import dataclass, field


@dataclass
class _State:
    value: Any = 0.0

    def push(self, momentum, gradient):
        self.value = gradient + momentum * self.value
        return self.value


@dataclass(eq=False)
class SGD:
    parameters: list
    learning_rate: float = 0.01
    momentum: float = 0.0
    velocity: list = field(default_factory=list)

    def __post_init__(self):
        self.velocity = [_State() for _ in self.parameters]

    def step(self):
        for parameter, state in zip(self.parameters, self.velocity):
            if parameter.grad is None:
                continue
            v = state.push(self.momentum, np.array(parameter.grad.data.data, dtype=np.float64))
            parameter.data = Tensor(parameter.data.data - self.learning_rate * v)

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None
