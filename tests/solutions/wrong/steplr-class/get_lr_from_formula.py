# get_lr() computes the scheduled rate and ignores what the optimizer has.
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
        self.optimizer.learning_rate = self.initial_lr * self.gamma ** drops

    def get_lr(self) -> float:
        return self.initial_lr * self.gamma ** (max(self.step_count - 1, 0) // self.step_size)
