# Works with NumPy scalars and a loop over the drops.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = np.float64(optimizer.learning_rate)
        self.step_count = 0

    def step(self):
        self.step_count = self.step_count + 1
        rate = self.initial_lr
        for call in range(2, self.step_count + 1):
            if (call - 1) % self.step_size == 0:
                rate = rate * self.gamma
        self.optimizer.learning_rate = rate

    def get_lr(self):
        return self.optimizer.learning_rate
