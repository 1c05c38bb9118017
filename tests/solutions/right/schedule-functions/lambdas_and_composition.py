# One-line lambdas; warm-up, stable and decay are three schedules, one after another.
#| export
linear_warmup = lambda steps: lambda step: 1.0 if step >= steps - 1 else (step + 1) / steps
cosine = lambda steps, floor=0.0: (
    lambda step: (
        floor if step >= steps else floor + (1 - floor) / 2 * (1 + math.cos(math.pi * step / steps))
    )
)


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    fall = lambda k: floor if k >= decay else 1 - (1 - floor) * k / decay
    return one_after_another([linear_warmup(warmup), lambda step: 1.0, fall], [warmup, stable])


def one_after_another(schedules, lengths):
    first, *others = schedules
    if not others:
        return first
    length, *rest = lengths
    later = one_after_another(others, rest)
    return lambda step: first(step) if step < length else later(step - length)


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor
        rates = [group["learning_rate"] for group in optimizer.groups]
        self._apply = lambda: [
            group.update(learning_rate=rate * self.get_factor())
            for group, rate in zip(optimizer.groups, rates)
        ]
        self.step_count = 0
        self._apply()

    def step(self):
        self.step_count += 1
        self._apply()

    def get_factor(self):
        return self.factor(self.step_count)
