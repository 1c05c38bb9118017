# Counts the drops themselves: remembers how many calls are left on this stair.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0
        self.left, self.factor = step_size, 1.0

    def step(self):
        self.step_count += 1
        if self.left == 0:
            self.left = self.step_size
            self.factor *= self.gamma
        self.left -= 1
        self.optimizer.learning_rate = self.initial_lr * self.factor

    def get_lr(self):
        return self.optimizer.learning_rate
