# step_count is 1 before the first call.
# expect-loss: test-step-scheduler
#| export
class StepLR:
    def __init__(self, optimizer: Union[SGD, Adam], step_size: int, gamma: float = 0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 1

    def step(self) -> None:
        drops = (self.step_count - 1) // self.step_size
        self.optimizer.learning_rate = self.initial_lr * self.gamma ** drops
        self.step_count += 1

    def get_lr(self) -> float:
        return self.optimizer.learning_rate
