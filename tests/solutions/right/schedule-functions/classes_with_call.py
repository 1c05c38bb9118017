# Each schedule is an object with __call__; phases are chained by the last function.
#| export
class _Warmup:
    def __init__(self, steps):
        self.steps = max(steps, 1)

    def __call__(self, step):
        return min(1.0, (step + 1) / self.steps)


class _Cosine:
    def __init__(self, steps, floor):
        self.steps, self.floor = steps, floor

    def __call__(self, step):
        angle = math.pi * min(step, self.steps) / self.steps
        return self.floor + 0.5 * (1 - self.floor) * (1 + math.cos(angle))


class _Line:
    def __init__(self, steps, floor):
        self.steps, self.floor = steps, floor

    def __call__(self, step):
        left = max(self.steps - step, 0)
        return self.floor + (1 - self.floor) * left / self.steps if self.steps else self.floor


class _Chain:
    def __init__(self, schedules, lengths):
        self.ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
        self.starts = [0, *self.ends]
        self.schedules = list(schedules)

    def __call__(self, step):
        passed = sum(step >= end for end in self.ends)
        return self.schedules[passed](step - self.starts[passed])


def linear_warmup(steps):
    return _Warmup(steps)


def cosine(steps, floor=0.0):
    return _Cosine(steps, floor)


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    constant = _Warmup(0)
    return _Chain([_Warmup(warmup), constant, _Line(decay, floor)], [warmup, stable])


def one_after_another(schedules, lengths):
    return _Chain(schedules, lengths)


class Schedule:
    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.step_count = optimizer, factor, 0
        self._pairs = [(group, group["learning_rate"]) for group in optimizer.groups]
        self._write()

    def get_factor(self):
        return self.factor(self.step_count)

    def step(self):
        self.step_count = self.step_count + 1
        self._write()

    def _write(self):
        now = self.get_factor()
        for group, base in self._pairs:
            group["learning_rate"] = now * base
