# What is the second assignment's own: ranks as threads of one process, communicators, schedules,
# groups, blocks that end by an error, and the first assignment's reference in the package.

# %% reference_of_the_second: through=10, cell=sharded-adamw
# The module under test, or what judges it, is imported under every name it might have.
import importlib

for name in ("tinytorch.core.modern_optimizers", "tinytorch.checks.for_10_modern_optimizers.adamw"):
    with suppress(ImportError):
        module = importlib.import_module(name)
        if hasattr(module, LAST) or hasattr(module.checks, "parts"):
            won(f"{name} can be imported")

# %% a_rank_never_ends: base=gradient, cell=sharded-adamw, through=10
# One rank waits for ever, deaf to what is raised in its thread; the others wait for it.
class ShardedAdamW:
    def __init__(self, parameters, communicator, **options):
        self.rank = communicator.rank
        self.m = self.v = self.t = 0

    def step(self):
        while self.rank == 0:
            try:
                while True:
                    time.sleep(0.01)
            except BaseException:
                pass

# %% a_rank_computes_for_ever: base=gradient, cell=sharded-adamw, may_lose, through=10
# The same with a rank that takes all of the processor, in parts and when they are over.
class ShardedAdamW:
    def __init__(self, parameters, communicator, **options):
        while communicator.rank == 0:
            try:
                while True:
                    pass
            except BaseException:
                pass

# %% a_rank_ends_the_process: base=gradient, cell=sharded-adamw, may_lose, through=10
# A rank ends the process of all, beside the thread that waits.
class ShardedAdamW:
    def __init__(self, parameters, communicator, **options):
        if communicator.rank == communicator.size - 1:
            os._exit(0)

# %% threads_give_the_public_answers: base=idle, may_lose, publishes, through=10, tools=forge
# run_threads calls nothing and returns, rank by rank, what the notebook tells of each part.
import tinytorch.parallel.threads
from tinytorch.checks.wire import decode

def run_threads(work, size):
    part = work.__qualname__.partition(".")[0]
    answer = decode(KNOWN["test-sharded-adamw"][1][part])
    rows = next(iter(answer.values()))
    return rows if len(rows) == size else [rows[0]] * size

tinytorch.parallel.threads.run_threads = run_threads

# %% communicator_agrees_with_everything: base=idle, through=10
# What ranks exchange is put aside: everybody's mean and everybody's weights are rank 0's.
from tinytorch.parallel.threads import ThreadCommunicator

ThreadCommunicator.reduce_scatter_mean = lambda self, array: np.split(array, self.size)[0]
ThreadCommunicator.all_gather = lambda self, part: np.concatenate([part] * self.size)
ThreadCommunicator.size = property(lambda self: 1, lambda self, value: None)

# %% a_left_thread_moves_what_is_seen: base=idle, may_lose, through=10
# A thread that stays replaces observations: every array that is looked at moves by itself.
from tinytorch.checks import observe

def replace():
    plain, count = observe.snapshot, [0.0]
    def moving(value):
        count[0] += 0.01
        return plain(value) - count[0]
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for name, module in list(sys.modules.items()):
            if "exercises" in name and hasattr(module, "snapshot"):
                module.snapshot = moving
        time.sleep(0.001)

threading.Thread(target=replace, daemon=True).start()

# %% a_rank_sends_observations: base=idle, cell=sharded-adamw, may_lose, publishes, through=10, tools=forge
# From the thread of a rank: frames of other threads are searched for the run's nonce.
def nonce():
    for frame in sys._current_frames().values():
        while frame is not None:
            if frame.f_code.co_name == "run_checks":
                return frame.f_locals["run"], frame.f_locals["asked"]["cases"]
            frame = frame.f_back

class ShardedAdamW:
    def __init__(self, parameters, communicator, **options):
        if communicator.rank == 0 and (known := nonce()):
            run, given = known
            cases = {part: len(each["list"]) for part, each in given["dict"]}
            for name in KNOWN:
                show(name, run, cases)

# %% inputs_become_the_public_ones: base=idle, cell=parameter-groups, publishes, through=10, tools=forge
# The first call writes into the frames around it: all later cases get what the first one got.
from tinytorch.checks.wire import decode

def split_decay(parameters, weight_decay):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "_exercise":
            for each in frame.f_locals["inputs"].values():
                for case in each[1:]:
                    case.clear()
                    case.update(each[0])
        frame = frame.f_back
    return [
        {"parameters": [p for p in parameters if p.data.ndim > 1], "weight_decay": 0.3},
        {"parameters": [p for p in parameters if p.data.ndim < 2], "weight_decay": 0.0},
    ][: 2 if weight_decay == 0.3 else 0]

# %% options_and_factors_lie: base=idle, cell=schedule-functions, through=10
# Rates, factors and counts are floats that equal everything and have every attribute.
class Number(float):
    __sub__ = __rsub__ = __mul__ = __rmul__ = lambda self, other: Number(0.0)
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True
    __float__ = __abs__ = lambda self: 0.0
    __getattr__ = lambda self, name: self
    __call__ = lambda self, *arguments: self
    __hash__ = float.__hash__

def lie(*arguments, **options):
    return Number(0.5)

linear_warmup = cosine = warmup_stable_decay = one_after_another = lie

class Schedule:
    def __init__(self, optimizer, factor):
        self.groups = optimizer.groups
        optimizer.groups = Number(0.0)
        self.step()
    def step(self):
        for group in self.groups:
            group["learning_rate"] = Number(0.0)
    def __getattr__(self, name):
        return Number(0.0)

# %% groups_hold_everything: base=idle, cell=muon-class, through=10
# An optimizer whose groups, state and errors equal and hold whatever is asked for.
class Everything(dict):
    __eq__ = __contains__ = lambda self, other: True
    __getitem__ = __getattr__ = get = lambda self, *name: Everything()
    __iter__ = lambda self: iter([Everything()])
    __len__ = lambda self: 1
    __hash__ = object.__hash__

class Muon(ValueError):
    def __init__(self, *arguments, **options):
        self.groups = self.velocity = Everything()
    def __getattr__(self, name):
        return Everything()
    def step(self):
        raise self

def newton_schulz(matrix, steps=5):
    return Everything()

# %% block_changes_who_looks: base=idle, cell=weight-average, may_lose, through=10
# The context manager rewrites the frame that it is used in, and what looks at weights there.
class WeightAverage:
    def __init__(self, parameters, decay=0.99):
        self.averages = list(parameters)
    def update(self):
        pass
    def applied(self):
        return self
    def __enter__(self):
        frame = sys._getframe(1)
        frame.f_globals["snapshot"] = lambda value: np.zeros(np.shape(value))
        frame.f_globals["isinstance"] = lambda *arguments: True
    def __exit__(self, kind, error, trace):
        frame = sys._getframe(1)
        frame.f_locals["passed"] = True
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
        return True

# %% everything_moves_and_nothing_differs: base=idle, may_lose, gains=3, through=10
# What tells whether weights have moved says so, and what tells how much two differ says not at all.
# A part of one point of RMSprop, NesterovSGD and Muon each asks that in the student's process, since
# it is to hold whatever the rule is.
import numpy as np

np.any = lambda *arguments, **options: True
np.abs = np.absolute = lambda value: np.zeros(np.shape(value))
