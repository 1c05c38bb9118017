# The number of drops is computed from the calls before this one, and the call counted last.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0

    def step(self):
        lr = self.initial_lr
        for _ in range(self.step_count // self.step_size):
            lr *= self.gamma
        setattr(self.optimizer, "learning_rate", lr)
        self.step_count = self.step_count + 1

    def get_lr(self):
        return self.optimizer.learning_rate
