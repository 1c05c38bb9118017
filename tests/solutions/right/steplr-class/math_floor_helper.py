# With a private helper that counts the drops, math.floor and math.pow.
#| export
class StepLR:
    """A staircase: the learning rate is multiplied by gamma after every step_size calls."""

    def __init__(self, optimizer: "SGD | Adam", step_size: int, gamma: float = 0.1) -> None:
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0

    def step(self) -> None:
        """Count the call in ``step_count`` and set the optimizer's rate for it."""
        self.step_count += 1
        self.optimizer.learning_rate = self._rate_for(self.step_count)

    def get_lr(self) -> float:
        """Return the optimizer's current rate, whoever set it, and change nothing."""
        rate = getattr(self.optimizer, "learning_rate")
        return rate

    def _rate_for(self, call: int) -> float:
        stair = math.floor((call - 1) / self.step_size)
        return self.initial_lr * math.pow(self.gamma, stair)
