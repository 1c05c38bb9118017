# Counts by an iterator; the rate is a property that reads the count.
#| export
import itertools


class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer, self.step_size, self.gamma = optimizer, step_size, gamma
        self.initial_lr = optimizer.learning_rate
        self._counter = itertools.count(1)
        self.step_count = 0

    @property
    def _rate(self):
        stairs, _ = divmod(max(self.step_count - 1, 0), self.step_size)
        return self.initial_lr * pow(self.gamma, stairs)

    def step(self):
        self.step_count = next(self._counter)
        setattr(self.optimizer, "learning_rate", self._rate)

    def get_lr(self):
        return getattr(self.optimizer, "learning_rate")
