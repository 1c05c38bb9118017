# As PyTorch does, each group remembers its own first rate; step_count is a property.
#| export
def linear_warmup(steps):
    def factor(step):
        try:
            return min(1.0, (1.0 + step) / steps)
        except ZeroDivisionError:
            return 1.0

    return factor


def cosine(steps, floor=0.0):
    def factor(step):
        share = min(step / steps, 1.0)
        return (1 + floor) / 2 + (1 - floor) / 2 * math.cos(math.pi * share)

    return factor


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    def factor(step):
        match step:
            case early if early < warmup:
                return (early + 1) / warmup
            case middle if middle < warmup + stable:
                return 1.0
            case late if late < warmup + stable + decay:
                left = warmup + stable + decay - late
                return (left + floor * (decay - left)) / decay
        return floor

    return factor


def one_after_another(schedules, lengths):
    def factor(step):
        begin = 0
        for schedule, length in zip(schedules, [*lengths, math.inf]):
            if begin <= step < begin + length:
                return schedule(step - begin)
            begin += length

    return factor


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        for group in optimizer.groups:
            group["initial_rate"] = group["learning_rate"]
        self._count = 0
        self._refresh()

    @property
    def step_count(self):
        return self._count

    @step_count.setter
    def step_count(self, count):
        self._count = count

    def _refresh(self):
        for group in self.optimizer.groups:
            group["learning_rate"] = group["initial_rate"] * self.factor(self._count)

    def step(self):
        self._count += 1
        self._refresh()

    def get_factor(self):
        return self.factor(self._count)
