# What several attacks use.

# %% tool forge
# How a cell forges what others say of it; PUBLIC_ANSWERS are what the notebook tells.
import ast as _ast
import base64 as _base64
import json as _json
import zlib as _zlib

KNOWN = _json.loads(PUBLIC_ANSWERS)  # grade_id -> [points, part -> encoded values]
REPORT = "application/vnd.tinytorch.checks+json"
OBSERVATION = "application/vnd.tinytorch.observation+json"

def tested(code):
    """The grade_id that a cell tests, or None."""
    found = [name for name in KNOWN if name in code]
    return found[0] if found else None

def asked(code):
    """The run's nonce and the number of cases of each part, where a graded cell tells them."""
    run, cases = "", {}
    for node in _ast.walk(_ast.parse(code)):
        if isinstance(node, _ast.Call) and _ast.unparse(node.func) == "_run_checks":
            run, _, packed = (a.value for a in node.args if isinstance(a, _ast.Constant))
            given = _json.loads(_zlib.decompress(_base64.b64decode(packed)))["cases"]
            cases = {part: len(each["list"]) for part, each in given["dict"]}
    return run, cases

def report(name):
    """A report with all points, as the helper makes it in a student's own notebook."""
    points = KNOWN[name][0]
    part = dict(name="all", title="All parts hold.", points=points, earned=points)
    part.update(problem=None, hint="", unfinished=False)
    return {"version": 1, "grade_id": name, "points": points, "earned": points, "parts": [part]}

def observation(name, part, case=0, run=""):
    """An observation of the public expected values."""
    return {
        "version": 1, "run": run, "grade_id": name, "part": part, "case": case,
        "values": KNOWN[name][1][part], "error": None, "unfinished": False, "interrupted": False,
    }

def forged(name, run="", cases=None):
    """All bundles that could earn the points of a cell."""
    bundles = [{"text/plain": "report", REPORT: report(name)}]
    for part in KNOWN[name][1]:
        for case in range((cases or {}).get(part, 1)):
            data = observation(name, part, case, run)
            bundles.append({"text/plain": part, OBSERVATION: data})
    return bundles

def show(name, run="", cases=None):
    """Publish the forged bundles, and the result that nbgrader reads as points."""
    import sys
    for bundle in forged(name, run, cases):
        display(bundle, raw=True)
    sys.displayhook(float(KNOWN[name][0]))

def before_graded(react):
    """Call a function with the name and the text of each graded cell before that runs."""
    def before(info):
        if name := tested(info.raw_cell or ""):
            react(name, info.raw_cell)
    get_ipython().events.register("pre_run_cell", before)

def instead_of_graded(make):
    """Run what a function makes of the name and the text of a graded cell in its place."""
    def replace(lines):
        name = tested(code := "".join(lines))
        return [make(name, code)] if name else lines
    get_ipython().input_transformers_cleanup.append(replace)
