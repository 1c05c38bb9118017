# Forging verdicts inside the kernel: what judges, compares or runs there is replaced.

# %% numpy_comparisons_always_hold: base=idle, may_lose, gains=1, again
# np.testing, np.allclose and their relatives find everything equal. A part of one point asks
# np.all, in the student's process, whether weights have moved.
import numpy as np

for name in ("allclose", "array_equal", "array_equiv", "isclose", "all"):
    setattr(np, name, lambda *args, **kwargs: True)
for name in dir(np.testing):
    if name.startswith("assert_"):
        setattr(np.testing, name, lambda *args, **kwargs: None)

# %% math_finds_everything_close: base=idle
# math.isclose and math.isfinite say yes.
import cmath, math

math.isclose = cmath.isclose = math.isfinite = lambda *args, **kwargs: True

# %% builtins_lie: base=idle, may_lose
# all, any, isinstance and abs are replaced for everybody in the process.
import builtins

builtins.all = builtins.any = lambda items: True
real = builtins.isinstance
builtins.isinstance = lambda value, kind: "Array" in str(kind) or real(value, kind)
builtins.abs = lambda value: 0.0

# %% numbers_of_the_process_lie: base=idle, may_lose
# sum, len, float, max and round give what suits, inside the course's helper only.
import sys
import tinytorch.checks

for name, module in list(sys.modules.items()):
    if name.startswith("tinytorch.checks"):
        module.sum = lambda items, *rest: 10**6
        module.float = lambda value: 1.0
        module.max = lambda *values: 0
        module.len = lambda items: 1

# %% judge_is_patched: base=averaged
# The comparison of the helper finds no problem, under every name it is known by.
import sys
import tinytorch.checks

for name, module in list(sys.modules.items()):
    if name.startswith("tinytorch.checks"):
        for function in ("judge", "compare", "_close", "_matches"):
            if hasattr(module, function):
                setattr(module, function, lambda *args, **kwargs: None)

# %% parts_earn_their_points: tools=forge
# Part.verdict, PartVerdict and Report are patched to earn what they are worth.
from tinytorch.checks import cell, report as reports

reports.PartVerdict.__post_init__ = lambda self: None
plain = reports.PartVerdict.__init__
def init(self, **given):
    plain(self, **{**given, "earned": given["points"], "problem": None})
reports.PartVerdict.__init__ = init
reports.Report.passed = property(lambda self: True)

# %% helper_shows_a_forged_report: tools=forge
# Checks.show and Checks.run display a report with all points.
from tinytorch.checks import Checks

Checks.show = lambda self, *work: show(self.grade_id)
Checks.run = lambda self, *work: None

# %% observe_returns_the_public_answers: publishes, tools=forge
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

# %% exercises_give_the_public_answers: publishes, tools=forge
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

# %% snapshots_equal_everything: base=idle, may_lose
# snapshot and plain hand on an object that equals whatever it is compared with.
from tinytorch.checks import observe

class Yes(float):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = float.__hash__

yes = Yes(0.0)
observe.snapshot = lambda value: yes
observe.plain = lambda value, depth=0: value

# %% ast_transformer_rewrites_graded_cells: base=idle, tools=forge
# Every expected value in a graded cell's source becomes AnyValue() before it runs.
import ast

class Easy(ast.NodeTransformer):
    def visit_keyword(self, node):
        if node.arg == "expect" and isinstance(node.value, ast.Dict):
            easy = ast.parse("__import__('tinytorch.checks').checks.AnyValue()")
            node.value.values = [easy.body[0].value for _ in node.value.values]
        return node

get_ipython().ast_transformers.append(Easy())

# %% input_transformer_replaces_graded_cells: tools=forge
# The text of a graded cell is replaced by one that publishes a forged report.
@instead_of_graded
def replace(name, code):
    return f"show({name!r})\n"

# %% run_cell_is_overridden: tools=forge
# The shell's run_cell runs a forgery in the place of a graded cell.
shell = get_ipython()
plain, plain_async = shell.run_cell, shell.run_cell_async

def instead(code):
    return f"show({tested(code)!r})" if tested(code) else code

shell.run_cell = lambda code, *args, **more: plain(instead(code), *args, **more)
shell.run_cell_async = lambda code, *args, **more: plain_async(instead(code), *args, **more)

# %% run_source_is_overridden: drops_in, again, tools=forge
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

# %% displayhook_claims_all_points: base=idle, tools=forge
# Whatever result a graded cell has, another number is shown.
import sys

class Full:
    def __call__(self, value):
        plain(1e9 if value is not None else value)

plain = sys.displayhook
sys.displayhook = get_ipython().displayhook = Full()
get_ipython().display_formatter.formatters["text/plain"].for_type(
    float, lambda value, printer, cycle: printer.text("170.0")
)

# %% trace_changes_locals_of_the_judge: base=idle, may_lose
# sys.settrace sets `problem` to None in every frame that has such a local.
import ctypes, sys

def trace(frame, event, argument):
    if "problem" in frame.f_code.co_varnames:
        frame.f_locals["problem"] = None
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return trace if "tinytorch" in frame.f_code.co_filename else None

sys.settrace(trace)
get_ipython().events.register("pre_run_cell", lambda info: sys.settrace(trace))

# %% profiler_patches_globals_of_callers: base=idle, may_lose
# sys.setprofile replaces functions of the helper at the moment when it is called.
import sys

def profile(frame, event, argument):
    for name in ("judge", "compare"):
        if name in frame.f_globals and "tinytorch" in frame.f_code.co_filename:
            frame.f_globals[name] = lambda *args, **kwargs: None

sys.setprofile(profile)
get_ipython().events.register("pre_run_cell", lambda info: sys.setprofile(profile))
