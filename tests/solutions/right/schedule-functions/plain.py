# Nested functions with an if for every phase; the bases in a list.
#| export
def linear_warmup(steps):
    def factor(step):
        if step + 1 < steps:
            return (step + 1) / steps
        return 1.0

    return factor


def cosine(steps, floor=0.0):
    def factor(step):
        if step < steps:
            wave = (1 + math.cos(math.pi * step / steps)) / 2
            return floor + (1 - floor) * wave
        return floor

    return factor


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    rising = linear_warmup(warmup)

    def factor(step):
        if step < warmup:
            return rising(step)
        k = step - warmup - stable
        if k < 0:
            return 1.0
        if k < decay:
            return 1 - (1 - floor) * k / decay
        return floor

    return factor


def one_after_another(schedules, lengths):
    def factor(step):
        number = 0
        while number < len(lengths) and step >= lengths[number]:
            step = step - lengths[number]
            number = number + 1
        return schedules[number](step)

    return factor


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer = optimizer
        self.factor = factor
        self.step_count = 0
        self.bases = [group["learning_rate"] for group in optimizer.groups]
        self._set()

    def _set(self):
        for base, group in zip(self.bases, self.optimizer.groups):
            group["learning_rate"] = base * self.get_factor()

    def step(self):
        self.step_count += 1
        self._set()

    def get_factor(self):
        return self.factor(self.step_count)
