# NumPy throughout: clip and interp instead of if, and bases in an array.
#| export
def linear_warmup(steps):
    return lambda step: np.minimum((step + 1) / np.maximum(steps, 1), 1.0)


def cosine(steps, floor=0.0):
    def factor(step):
        angle = np.pi * np.clip(step / steps, 0.0, 1.0)
        return floor + (1 - floor) * np.cos(angle / 2) ** 2

    return factor


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    def factor(step):
        rise = np.minimum((step + 1) / warmup, 1.0) if warmup else 1.0
        begin = warmup + stable
        fall = (
            np.interp(step, [begin, begin + decay], [1.0, floor])
            if decay
            else np.where(step < begin, 1.0, floor)
        )
        return np.minimum(rise, fall) if step < begin else fall

    return factor


def one_after_another(schedules, lengths):
    ends = np.cumsum(lengths, dtype=int)

    def factor(step):
        number = int(np.searchsorted(ends, step, side="right"))
        return schedules[number](step - int(ends[number - 1] if number else 0))

    return factor


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer = optimizer
        self.factor = factor
        self.step_count = 0
        self._bases = np.array([group["learning_rate"] for group in optimizer.groups])
        self._rates(0)

    def _rates(self, count):
        self.step_count = count
        for group, rate in zip(self.optimizer.groups, self._bases * self.get_factor()):
            group["learning_rate"] = rate

    def step(self):
        self._rates(self.step_count + 1)

    def get_factor(self):
        return np.float64(self.factor(self.step_count))
