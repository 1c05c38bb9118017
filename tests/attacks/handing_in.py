"""Submissions that are hostile as files: links, pipes, bombs, lying metadata, scripts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.attacks.attack import NOTEBOOK, register

_FAILED = frozenset({"failed"})
_EITHER = frozenset({"failed", "graded"})
_SCRIPT = (
    "<script>/*owned*/</script><img src=x onerror='/*owned*/'><iframe src='javascript:owned()'>"
)


def writes(**more) -> Callable:
    """Make an attack of a function that writes a submission: (folder, work, ground) -> None."""

    def declare(function):
        register(function.__name__, "handing_in", function.__doc__, function, **more)
        return function

    return declare


def edits(**more) -> Callable:
    """Make an attack of a function that changes the data of a notebook's file, or its text."""

    def declare(function):
        def hand_in(folder, work, ground):
            data = json.loads(work.text())
            made = function(data)
            (folder / NOTEBOOK).write_text(made or json.dumps(data))

        register(function.__name__, "handing_in", function.__doc__, hand_in, **more)
        return function

    return declare


def _twin(cell: dict, **more) -> dict:
    """Return a copy of a cell, with other fields of nbgrader's."""
    made = json.loads(json.dumps(cell))
    made["metadata"]["nbgrader"].update(more)
    return made


@writes(statuses=_FAILED)
def link_to_another_submission(folder, work, ground):
    """The notebook is a link to a perfect one."""
    (folder / NOTEBOOK).symlink_to(f"../../zz-perfect/{folder.name}/{NOTEBOOK}")


@writes(statuses=_FAILED)
def folder_is_a_link(folder, work, ground):
    """The whole folder is a link to that of a perfect student."""
    folder.rmdir()
    folder.symlink_to(f"../zz-perfect/{folder.name}", target_is_directory=True)


@writes(statuses=_FAILED)
def notebook_is_a_pipe(folder, work, ground):
    """Who opens the notebook waits for ever."""
    os.mkfifo(folder / NOTEBOOK)


@writes(statuses=_FAILED)
def notebook_is_a_folder(folder, work, ground):
    """A folder named like the notebook, with the notebook in it."""
    (folder / NOTEBOOK).mkdir()
    (folder / NOTEBOOK / NOTEBOOK).write_text(work.solve().text())


@writes()
def modules_beside_the_notebook(folder, work, ground):
    """numpy.py, tinytorch/ and start-up files beside the notebook would be imported first."""
    modules = ["numpy", "sitecustomize", "usercustomize", "json", "nbformat", "conftest"]
    modules += ["nbgrader_config", "jupyter_config", "ipython_config", "jupyter_nbconvert_config"]
    modules += ["tinytorch/core/__init__", "tinytorch/checks/__init__"]
    for name in (*modules, ".ipython/profile_default/startup/00"):
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(ground.home / ground.mark)!r}, 'w').close()\n")
    (folder / NOTEBOOK).write_text(work.text())


@writes()
def odd_file_names(folder, work, ground):
    """Names with line ends, quotes, options, formats and bytes that are no text; a date as pipe."""
    (folder / NOTEBOOK).write_text(work.text())
    names = [b"-rf", b"a\nb.ipynb", b"'; touch x;.ipynb", b"{0.__class__}.ipynb", b"%s%n.ipynb"]
    names += [b"\xff\xfe.ipynb", b"..\xe2\x88\x95x", b"[red]x.ipynb", b"\x1b[2J.ipynb", b"n" * 250]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_text("{}")
    os.mkfifo(folder / "timestamp.txt")
    (folder / "loop").symlink_to(".", target_is_directory=True)


@writes(statuses=_EITHER, once=True)
def enormous_cell(folder, work, ground):
    """One cell of five megabytes, which is slow to parse and to check for its colours."""
    work.put("sgd-class", "x = [" + "-1," * 1_700_000 + "]")
    (folder / NOTEBOOK).write_text(work.text())


@edits(statuses=_EITHER)
def nested_without_end(data):
    """JSON a hundred thousand levels deep in a cell's metadata."""
    text = json.dumps({**data, "metadata": "DEEP"})
    return text.replace('"DEEP"', "[" * 100_000 + "]" * 100_000)


@edits(statuses=_EITHER)
def numbers_beyond_reason(data):
    """NaN, infinities and integers of ten thousand digits where metadata should be."""
    data["metadata"] = {"a": float("nan"), "b": float("inf"), "c": 0}
    data["nbformat_minor"] = float("inf")
    return json.dumps(data).replace('"c": 0', '"c": ' + "9" * 10_000)


@edits(once=True)
def points_of_a_billion(data):
    """Graded cells claim 1e9 points, negative ones and NaN."""
    claims = iter([1e9, -5, float("nan"), "200", None, [1], 1e400, 10**30])
    for cell in data["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["metadata"]["nbgrader"]["points"] = next(claims, 1e9)


@edits(once=True)
def cells_under_other_names(data):
    """Own cells bear the grade_ids of tests, and tests those of solutions."""
    cells = [cell for cell in data["cells"] if "nbgrader" in cell["metadata"]]
    named = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in cells}
    for name in ("test-sgd", "test-adam"):
        named[name].update(source="15.0", outputs=[], execution_count=None)
        named[name]["metadata"]["nbgrader"].update(solution=True, locked=False)
        data["cells"].insert(0, _twin(named[name]))
    named["sgd-class"]["metadata"]["nbgrader"].update(grade=True, points=170, solution=False)
    odd = ["__proto__", "../../x", "test-sgd\n", "test-sgd'; drop table grade; --", "x" * 5000]
    claims = [_twin(named["adam-class"], grade_id=name, grade=True, points=30) for name in odd]
    data["cells"] += claims


@edits(once=True)
def schema_of_the_future(data):
    """nbgrader metadata of schema 99, and of types that no schema has."""
    odd = iter([99, -1, "3", None, [3], {"3": 3}, 1e300])
    for cell in data["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = next(odd, 99)
    data["cells"].append({**data["cells"][0], "metadata": {"nbgrader": ["grade"]}})


@writes()
def kernel_of_its_own(folder, work, ground):
    """The metadata name another kernel, another language and a command to start."""
    data = json.loads(work.text())
    command = ["/bin/sh", "-c", f"touch {ground.home / ground.mark}"]
    spec = {"name": "../../../evil", "display_name": "x", "language": "sh", "argv": command}
    data["metadata"] = {
        "kernelspec": {**spec, "metadata": {"kernel_provisioner": {"provisioner_name": "local"}}},
        "language_info": {"name": "sh", "pygments_lexer": "../evil"},
        "tinytorch": {"flags": [], "verdicts": {"test-sgd": {"earned": 15}}, "seed": 1},
    }
    (folder / NOTEBOOK).write_text(json.dumps(data))


_SHOWS_SCRIPTS = """
from IPython.display import HTML, Javascript, display
display(HTML(SCRIPT), Javascript("/*owned*/"))
display({"image/svg+xml": "<svg onload='/*owned*/'>" + SCRIPT + "</svg>",
         "text/latex": "$</script>" + SCRIPT + "$", "text/markdown": SCRIPT}, raw=True)
display({"application/vnd.jupyter.widget-view+json": {"model_id": "</script>" + SCRIPT}}, raw=True)
print(SCRIPT)
raise type(SCRIPT, (Exception,), {})(SCRIPT)
"""


@writes(once=True)
def scripts_for_the_page(folder, work, ground):
    """Scripts in outputs, markdown, errors, attachments, cell names and widget views."""
    work.insert_first(f"SCRIPT = {_SCRIPT!r}" + _SHOWS_SCRIPTS)
    raising = f"class SGD:\n    def __init__(self, *a, **k):\n        raise ValueError({_SCRIPT!r})"
    work.put("sgd-class", raising).put("question-1-optimizer-memory", _SCRIPT)
    picture = {"a.svg": {"image/svg+xml": _SCRIPT}}
    work.cell("question-1-optimizer-memory").attachments = picture
    data = json.loads(work.text())
    text = f"{_SCRIPT}\n\n[x](javascript:owned())\n\n[y](data:text/html;base64,b3duZWQ=)"
    data["cells"].append({"cell_type": "markdown", "metadata": {}, "source": text})
    (folder / NOTEBOOK).write_text(json.dumps(data))


@writes(once=True)
def markers_in_answers(folder, work, ground):
    """nbgrader's markers, unpaired, in code and answers; directives to export elsewhere."""
    work.put("sgd-class", "### BEGIN HIDDEN TESTS\n### BEGIN SOLUTION\n### BEGIN MARK SCHEME\n")
    work.put("adam-class", "#| default_exp ../../owned\n#| export\n### END SOLUTION\n1")
    work.put("question-1-optimizer-memory", "=== BEGIN MARK SCHEME ===\n### END HIDDEN TESTS")
    (folder / NOTEBOOK).write_text(work.text())


@edits()
def outputs_that_were_never_made(data):
    """The graded cells come with stored reports, observations and results of full marks."""
    for cell in data["cells"]:
        ours = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and ours.get("grade"):
            worth = {"points": ours["points"], "earned": ours["points"]}
            part = {"name": "a", "title": "a", "problem": None, "hint": "", "unfinished": False}
            report = {"version": 1, "grade_id": ours["grade_id"], "parts": [part | worth]} | worth
            shown = {"application/vnd.tinytorch.checks+json": report}
            result = {"data": {"text/plain": f"{ours['points']}.0"}, "execution_count": 1}
            cell["outputs"] = [
                {"output_type": "display_data", "data": shown, "metadata": {}},
                {"output_type": "execute_result", "metadata": {}, **result},
            ]


@edits(base="gradient", drops_in=True)
def half_characters(data):
    """Lone surrogates wherever a text stands: sources, names of cells, metadata, attachments."""
    for cell in data["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {"\ud800.png": {"image/png": "AAAA\ud800"}}
            cell["source"] = "\udfff"
        cell["metadata"]["\ud800"] = "\ud800"
    own = {"cell_type": "code", "execution_count": None, "outputs": [], "id": "\ud800"}
    name = {**data["cells"][-1]["metadata"].get("nbgrader", {}), "grade_id": "\ud800"}
    data["cells"].append({**own, "source": "'\ud800'", "metadata": {"nbgrader": name}})
    data["metadata"]["\ud800"] = "\ud800"


@edits(statuses=_FAILED)
def values_without_number(data):
    """Five million empty lists in 15 MB, which would be 400 MB in memory."""
    data["metadata"]["x"] = 0
    return json.dumps(data).replace('"x": 0', '"x": [' + "[]," * 5_000_000 + "0]")
