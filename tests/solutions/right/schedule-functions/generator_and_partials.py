# Module functions bound by functools.partial; the rates of a chain's phases are looked up in turn.
#| export
import functools


def _rise(steps, step):
    return 1.0 if not steps else min(step + 1, steps) / steps


def _wave(steps, floor, step):
    step = min(step, steps)
    return floor + (1 - floor) * (1 + math.cos(math.pi * step / steps)) / 2


def _line(steps, floor, step):
    return floor if step >= steps else 1 + (floor - 1) * step / steps


def _phases(schedules, lengths):
    begin = 0
    for schedule, length in zip(schedules, lengths):
        yield begin, begin + length, schedule
        begin += length
    yield begin, float("inf"), schedules[-1]


def _chained(schedules, lengths, step):
    return next(
        schedule(step - begin) for begin, end, schedule in _phases(schedules, lengths) if step < end
    )


def linear_warmup(steps):
    return functools.partial(_rise, steps)


def cosine(steps, floor=0.0):
    return functools.partial(_wave, steps, floor)


def warmup_stable_decay(warmup, stable, decay, floor=0.0):
    parts = [linear_warmup(warmup), linear_warmup(1), functools.partial(_line, decay, floor)]
    return one_after_another(parts, [warmup, stable])


def one_after_another(schedules, lengths):
    return functools.partial(_chained, tuple(schedules), tuple(lengths))


class Schedule:
    def __init__(self, optimizer, factor, step_count=0):
        self.optimizer, self.factor, self.step_count = optimizer, factor, step_count
        self._bases = {index: g["learning_rate"] for index, g in enumerate(optimizer.groups)}
        self._set_rates()

    def _set_rates(self):
        for index, base in self._bases.items():
            self.optimizer.groups[index]["learning_rate"] = float(base) * float(self.get_factor())

    def step(self):
        self.step_count += 1
        self._set_rates()

    def get_factor(self):
        return self.factor(self.step_count)
