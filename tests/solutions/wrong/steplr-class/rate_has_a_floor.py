# The rate never falls below 1e-6.
# expect-loss: test-step-scheduler
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
        self.optimizer.learning_rate = max(self.initial_lr * self.gamma ** ((self.step_count - 1) // self.step_size), 1e-6)
    def get_lr(self):
        return self.optimizer.learning_rate
