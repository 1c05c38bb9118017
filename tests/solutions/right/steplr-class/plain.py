# The rule as the text states it.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0

    def step(self):
        self.step_count += 1
        drops = (self.step_count - 1) // self.step_size
        self.optimizer.learning_rate = self.initial_lr * self.gamma ** drops

    def get_lr(self):
        return self.optimizer.learning_rate
