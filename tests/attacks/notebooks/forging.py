# Forging verdicts inside the kernel: what judges, compares or runs there is replaced.

# %% numpy_comparisons_always_hold: base=idle, may_lose, gains=1, again, through=08+10
# np.testing, np.allclose and their relatives find everything equal. A part of one point asks
# np.all, in the student's process, whether weights have moved.
import numpy as np

for name in ("allclose", "array_equal", "array_equiv", "isclose", "all"):
    setattr(np, name, lambda *args, **kwargs: True)
for name in dir(np.testing):
    if name.startswith("assert_"):
        setattr(np.testing, name, lambda *args, **kwargs: None)

# %% builtins_lie: base=idle, may_lose, through=08+10
# all, any, isinstance, abs and what compares numbers are replaced for all in the process.
import builtins, cmath, math

builtins.all = builtins.any = lambda items: True
real = builtins.isinstance
builtins.isinstance = lambda value, kind: "Array" in str(kind) or real(value, kind)
builtins.abs = lambda value: 0.0
math.isclose = cmath.isclose = math.isfinite = lambda *args, **kwargs: True

# %% judge_is_patched: base=averaged, through=08+10
# The comparison of the helper finds no problem, under every name it is known by.
import tinytorch.checks

for name, module in list(sys.modules.items()):
    if name.startswith("tinytorch.checks"):
        for function in ("judge", "compare", "_close", "_matches"):
            if hasattr(module, function):
                setattr(module, function, lambda *args, **kwargs: None)

# %% helper_shows_a_forged_report: tools=forge, through=08+10
# Checks.show and Checks.run display a report with all points.
from tinytorch.checks import Checks

Checks.show = lambda self, *work: show(self.grade_id)
Checks.run = lambda self, *work: None

# %% observe_returns_the_public_answers: publishes, tools=forge, through=08+10
# observe gives the public expected values instead of exercising anything.
from tinytorch.checks import observe as module, publish

def of(exercise):
    for _, parts in KNOWN.values():
        if exercise.__name__ in parts:
            return parts[exercise.__name__]

def observe(exercise, student, inputs, seconds):
    from tinytorch.checks.wire import decode
    return module.Observation(decode(of(exercise)))

module.observe = publish.observe = observe
with suppress(ImportError):
    from tinytorch.checks import cell
    cell.observe = observe

# %% exercises_give_the_public_answers: publishes, tools=forge, through=08+10
# What is unpacked as a module of exercises answers with the public expected values.
from tinytorch.checks import publish
from tinytorch.checks.wire import decode

plain = publish._modules
def modules(packed):
    for name, names in plain(packed):
        for _, parts in KNOWN.values():
            for part in parts.keys() & names.keys():
                answer = decode(parts[part])
                names[part] = lambda student, answer=answer, **inputs: answer
        yield name, names
publish._modules = modules

# %% input_transformer_replaces_graded_cells: tools=forge, through=08+10
# The text of a graded cell is replaced by one that publishes a forged report.
@instead_of_graded
def replace(name, code):
    return f"show({name!r})\n"

# %% run_source_is_overridden: drops_in, again, tools=forge, through=08+10
# The kernel's own way to run a cell runs a forgery in the place of a graded one.
shell = get_ipython()
plain = shell.run_source

def run_source(code):
    return plain(f"show({tested(code)!r})" if tested(code) else code)

shell.run_source = run_source

# %% events_rewrite_before_and_after: base=idle, tools=forge
# pre_run_cell empties the list of parts that are declared, post_run_cell tells of success.
def before(info):
    global now
    now = tested(info.raw_cell or "")

def after(result):
    if now:
        result.error_in_exec = result.error_before_exec = None
        result.result = float(KNOWN[now][0])
        show(now)

now = None
get_ipython().events.register("pre_run_cell", before)
get_ipython().events.register("post_run_cell", after)

# %% displayhook_claims_all_points: base=idle, tools=forge, through=08+10
# Whatever result a graded cell has, another number is shown.
class Full:
    def __call__(self, value):
        plain(1e9 if value is not None else value)

plain = sys.displayhook
sys.displayhook = get_ipython().displayhook = Full()
get_ipython().display_formatter.formatters["text/plain"].for_type(
    float, lambda value, printer, cycle: printer.text("170.0")
)

# %% trace_changes_locals_of_the_judge: base=idle, may_lose, through=08+10
# sys.settrace sets `problem` to None in every frame that has such a local.
def trace(frame, event, argument):
    if "problem" in frame.f_code.co_varnames:
        frame.f_locals["problem"] = None
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return trace if "tinytorch" in frame.f_code.co_filename else None

sys.settrace(trace)
get_ipython().events.register("pre_run_cell", lambda info: sys.settrace(trace))
