# With a private helper that counts the drops, math.floor and math.pow.
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
        self.optimizer.learning_rate = self._rate_for(self.step_count)

    def get_lr(self):
        rate = getattr(self.optimizer, "learning_rate")
        return rate

    def _rate_for(self, call):
        stair = math.floor((call - 1) / self.step_size)
        return self.initial_lr * math.pow(self.gamma, stair)
