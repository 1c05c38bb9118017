# The number of drops is computed from the calls before this one, and the call counted last.
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
        lr = self.initial_lr
        for _ in range(self.step_count // self.step_size):
            lr *= self.gamma
        setattr(self.optimizer, "learning_rate", lr)
        self.step_count = self.step_count + 1

    def get_lr(self) -> float:
        """Return the optimizer's current rate, whoever set it, and change nothing."""
        return self.optimizer.learning_rate
