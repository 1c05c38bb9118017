# Refuses what is not one of the two optimizers and computes the stair with divmod.
#| export
class StepLR:
    def __init__(self, optimizer, step_size, gamma=0.1):
        if not isinstance(optimizer, (SGD, Adam)):
            raise TypeError("optimizer must be SGD or Adam")
        self.optimizer, self.step_size, self.gamma = optimizer, step_size, gamma
        self.initial_lr = float(optimizer.learning_rate)
        self.step_count = 0

    def step(self):
        stair, _ = divmod(self.step_count, self.step_size)
        self.optimizer.learning_rate = self.initial_lr * math.pow(self.gamma, stair)
        self.step_count += 1

    def get_lr(self):
        return self.optimizer.learning_rate
