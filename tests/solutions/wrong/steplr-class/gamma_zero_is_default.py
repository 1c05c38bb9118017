# A gamma of 0 counts as not given and becomes 0.1.
# expect-loss: test-step-scheduler
#| export
class StepLR:
    """A staircase: the learning rate is multiplied by gamma after every step_size calls."""

    def __init__(self, optimizer: "SGD | Adam", step_size: int, gamma: float = 0.1) -> None:
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma or 0.1
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0

    def step(self) -> None:
        """Count the call in ``step_count`` and set the optimizer's rate for it."""
        self.step_count += 1
        drops = (self.step_count - 1) // self.step_size
        self.optimizer.learning_rate = self.initial_lr * self.gamma**drops

    def get_lr(self) -> float:
        """Return the optimizer's current rate, whoever set it, and change nothing."""
        return self.optimizer.learning_rate
