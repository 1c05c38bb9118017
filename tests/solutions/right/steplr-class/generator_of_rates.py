# A generator walks down the stairs; step() asks it for the next rate.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0
        self._rates = self._stairs()

    def _stairs(self):
        rate = self.initial_lr
        while True:
            for _ in range(self.step_size):
                yield rate
            rate *= self.gamma

    def step(self):
        self.step_count += 1
        self.optimizer.learning_rate = next(self._rates)

    def get_lr(self):
        return self.optimizer.learning_rate
