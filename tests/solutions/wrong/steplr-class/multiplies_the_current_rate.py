# Multiplies the current rate by gamma at each drop, whatever it is.
# expect-loss: test-step-scheduler
#| export
class StepLR:
    def __init__(self, optimizer: Union[SGD, Adam], step_size: int, gamma: float = 0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0

    def step(self) -> None:
        self.step_count += 1
        drops = (self.step_count - 1) // self.step_size
        if self.step_count > 1 and (self.step_count - 1) % self.step_size == 0:
            self.optimizer.learning_rate *= self.gamma

    def get_lr(self) -> float:
        return self.optimizer.learning_rate
