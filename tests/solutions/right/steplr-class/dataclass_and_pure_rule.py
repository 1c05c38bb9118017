# A pure function from the call to the rate, and a dataclass that applies it.
#| export
from dataclasses import dataclass, field


def _rate_of_call(n, initial, step_size, gamma):
    drops = math.ceil(n / step_size) - 1
    return initial * math.prod([gamma] * drops)


@dataclass
class StepLR:
    optimizer: Any
    step_size: int
    gamma: float = 0.1
    initial_lr: float = field(init=False)
    step_count: int = field(init=False, default=0)

    def __post_init__(self):
        self.initial_lr = self.optimizer.learning_rate

    def step(self):
        self.step_count += 1
        self.optimizer.learning_rate = _rate_of_call(
            self.step_count, self.initial_lr, self.step_size, self.gamma
        )

    def get_lr(self):
        return self.optimizer.learning_rate
