"""Submissions that are hostile as files: links, pipes, bombs, lying metadata, scripts."""

from __future__ import annotations

import json
import os
from functools import wraps
from pathlib import Path

import nbformat

from tests.attacks.attack import NOTEBOOK, Ground, as_json, hands_in
from tests.submissions.notebook import Work

_FAMILY = "handing_in"
_FAILED = frozenset({"failed"})
_EITHER = frozenset({"failed", "graded"})
_SCRIPT = (
    "<script>/*owned*/</script><img src=x onerror='/*owned*/'><iframe src='javascript:owned()'>"
)


def _write(folder: Path, data: dict) -> None:
    (folder / NOTEBOOK).write_text(json.dumps(data))


def edits(**more):
    """Make an attack of a function that changes the data of a notebook's file in place."""

    def declare(function):
        @hands_in(_FAMILY, **more)
        @wraps(function)
        def hand_in(folder: Path, work: Work, ground: Ground) -> None:
            data = as_json(work)
            function(data)
            _write(folder, data)

        return hand_in

    return declare


def _twin(cell: dict, **more) -> dict:
    """Return a copy of a cell, with other fields of nbgrader's."""
    made = json.loads(json.dumps(cell))
    made["metadata"]["nbgrader"].update(more)
    return made


@hands_in(_FAMILY, statuses=_FAILED)
def link_to_a_system_file(folder, work, ground):
    """The notebook is a link to /etc/passwd."""
    (folder / NOTEBOOK).symlink_to("/etc/passwd")


@hands_in(_FAMILY, statuses=_FAILED)
def link_to_another_submission(folder, work, ground):
    """The notebook is a link to a perfect one."""
    (folder / NOTEBOOK).symlink_to(f"../../zz-perfect/{folder.name}/{NOTEBOOK}")


@hands_in(_FAMILY, statuses=_FAILED)
def folder_is_a_link(folder, work, ground):
    """The whole folder is a link to that of a perfect student."""
    folder.rmdir()
    folder.symlink_to(f"../zz-perfect/{folder.name}", target_is_directory=True)


@hands_in(_FAMILY, statuses=_FAILED)
def notebook_is_a_pipe(folder, work, ground):
    """Who opens the notebook waits for ever."""
    os.mkfifo(folder / NOTEBOOK)


@hands_in(_FAMILY, statuses=_FAILED)
def notebook_is_a_folder(folder, work, ground):
    """A folder named like the notebook, with the notebook in it."""
    (folder / NOTEBOOK).mkdir()
    work.solve()
    (folder / NOTEBOOK / NOTEBOOK).write_text(work.text())


@hands_in(_FAMILY)
def modules_beside_the_notebook(folder, work, ground):
    """numpy.py, tinytorch/ and start-up files beside the notebook would be imported first."""
    owned = f"open({str(ground.home / ground.mark)!r}, 'w').close()\n"
    for name in ("numpy.py", "sitecustomize.py", "usercustomize.py", "json.py", "nbformat.py",
                 "nbgrader_config.py", "jupyter_config.py", "ipython_config.py",
                 "jupyter_nbconvert_config.py", "conftest.py"):  # fmt: skip
        (folder / name).write_text(owned)
    for name in ("tinytorch/core", "tinytorch/checks"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(owned)
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(owned)
    (folder / NOTEBOOK).write_text(work.text())


@hands_in(_FAMILY)
def odd_file_names(folder, work, ground):
    """Names with line ends, quotes, options, formats and bytes that are no text; a date as pipe."""
    (folder / NOTEBOOK).write_text(work.text())
    for name in (b"-rf", b"a\nb.ipynb", b"'; touch x;.ipynb", b"{0.__class__}.ipynb", b"%s%n.ipynb",
                 b"\xff\xfe.ipynb", b"..\xe2\x88\x95x", b"[red]x.ipynb",
                 b"\x1b[2J.ipynb", b"n" * 250):  # fmt: skip
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_text("{}")
    os.mkfifo(folder / "timestamp.txt")
    (folder / "loop").symlink_to(".", target_is_directory=True)


@edits(statuses=_EITHER)
def enormous_outputs(data):
    """Twenty-five megabytes of outputs."""
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}
    data["cells"][-1].update(cell_type="code", execution_count=1, outputs=[output] * 25)


@hands_in(_FAMILY, statuses=_EITHER, once=True)
def enormous_cell(folder, work, ground):
    """One cell of five megabytes, which is slow to parse and to check for its colours."""
    _write(folder, as_json(work.put("sgd-class", "x = [" + "-1," * 1_700_000 + "]")))


@edits(statuses=_EITHER)
def countless_cells(data):
    """A hundred thousand cells."""
    data["cells"] += [{"cell_type": "raw", "metadata": {}, "source": ""}] * 100_000


@hands_in(_FAMILY, statuses=_EITHER)
def nested_without_end(folder, work, ground):
    """JSON a hundred thousand levels deep in a cell's metadata."""
    text = json.dumps({**as_json(work), "metadata": "DEEP"})
    deep = "[" * 100_000 + "]" * 100_000
    (folder / NOTEBOOK).write_text(text.replace('"DEEP"', deep))


@hands_in(_FAMILY, statuses=_EITHER)
def numbers_beyond_reason(folder, work, ground):
    """NaN, infinities and integers of ten thousand digits where metadata should be."""
    data = as_json(work)
    data["metadata"] = {"a": float("nan"), "b": float("inf"), "c": 0}
    data["nbformat_minor"] = float("inf")
    text = json.dumps(data).replace('"c": 0', '"c": ' + "9" * 10_000)
    (folder / NOTEBOOK).write_text(text)


@hands_in(_FAMILY, statuses=_FAILED)
def old_format_without_substance(folder, work, ground):
    """A notebook of format 1 that no converter was ever tried on, under a name of its own."""
    data = {"nbformat": 1, "cells": [{"cell_type": "markdown"}]}
    (folder / "my homework.ipynb").write_text(json.dumps(data))


@hands_in(_FAMILY, statuses=_FAILED)
def old_format_without_a_minor_version(folder, work, ground):
    """A notebook of format 3.null, of which the validator asserts what is not so."""
    _write(folder, {"nbformat": 3, "nbformat_minor": None, "metadata": {}, "worksheets": []})


@hands_in(_FAMILY)
def heading_of_the_depth_of_all_memory(folder, work, ground):
    """A notebook of format 3 with a heading of level 10**11, which is written as so many "#"."""
    old = nbformat.convert(work.notebook, 3)
    heading = {"cell_type": "heading", "level": 10**11, "source": "x", "metadata": {}}
    _write(folder, {**old, "worksheets": [{"cells": [heading, *old.worksheets[0].cells]}]})


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
    named = {c["metadata"]["nbgrader"]["grade_id"]: c for c in data["cells"]
             if "nbgrader" in c["metadata"]}  # fmt: skip
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


@hands_in(_FAMILY)
def kernel_of_its_own(folder, work, ground):
    """The metadata name another kernel, another language and a command to start."""
    data = as_json(work)
    command = ["/bin/sh", "-c", f"touch {ground.home / ground.mark}"]
    spec = {"name": "../../../evil", "display_name": "x", "language": "sh", "argv": command}
    data["metadata"] = {
        "kernelspec": {**spec, "metadata": {"kernel_provisioner": {"provisioner_name": "local"}}},
        "language_info": {"name": "sh", "pygments_lexer": "../evil"},
        "tinytorch": {"flags": [], "verdicts": {"test-sgd": {"earned": 15}}, "seed": 1},
    }
    _write(folder, data)


@hands_in(_FAMILY, once=True)
def scripts_for_the_page(folder, work, ground):
    """Scripts in outputs, markdown, errors, attachments, cell names and widget views."""
    code = f"""
from IPython.display import HTML, Javascript, display
display(HTML({_SCRIPT!r}), Javascript("/*owned*/"))
display({{"image/svg+xml": "<svg onload='/*owned*/'>" + {_SCRIPT!r} + "</svg>",
         "text/latex": "$</script>" + {_SCRIPT!r} + "$", "text/markdown": {_SCRIPT!r}}}, raw=True)
display({{"application/vnd.jupyter.widget-view+json": {{"model_id": "</script>" + {_SCRIPT!r}}}}},
        raw=True)
print({_SCRIPT!r})
raise type({_SCRIPT!r}, (Exception,), {{}})({_SCRIPT!r})
"""
    work.insert_first(code)
    data = as_json(work)
    text = f"{_SCRIPT}\n\n[x](javascript:owned())\n\n[y](data:text/html;base64,b3duZWQ=)"
    data["cells"].append({"cell_type": "markdown", "metadata": {}, "source": text})
    raising = f"class SGD:\n    def __init__(self, *a, **k):\n        raise ValueError({_SCRIPT!r})"
    for cell in data["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name == "sgd-class":
            cell["source"] = raising
        if name == "question-1-optimizer-memory":
            cell["source"] = _SCRIPT
            cell["attachments"] = {"a.svg": {"image/svg+xml": _SCRIPT}}
    _write(folder, data)


@hands_in(_FAMILY, once=True)
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
            points, name = ours["points"], ours["grade_id"]
            part = {"name": "a", "title": "a", "points": points, "earned": points,
                    "problem": None, "hint": "", "unfinished": False}  # fmt: skip
            report = {"version": 1, "grade_id": name, "points": points, "earned": points}
            bundle = {"application/vnd.tinytorch.checks+json": {**report, "parts": [part]}}
            cell["outputs"] = [
                {"output_type": "display_data", "data": bundle, "metadata": {}},
                {"output_type": "execute_result", "data": {"text/plain": f"{points}.0"},
                 "metadata": {}, "execution_count": 1},
            ]  # fmt: skip


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


@hands_in(_FAMILY, statuses=_FAILED)
def values_without_number(folder, work, ground):
    """Five million empty lists in 15 MB, which would be 400 MB in memory."""
    notebook = as_json(work)
    notebook["metadata"]["x"] = 0
    text = json.dumps(notebook).replace('"x": 0', '"x": [' + "[]," * 5_000_000 + "0]")
    (folder / NOTEBOOK).write_text(text)


@hands_in(_FAMILY, base="gradient")
def names_that_command_a_terminal(folder, work, ground):
    """Files and cells whose names hold escape sequences and marks of direction."""
    evil = "\x1b[2J\x9b2J\x1b]0;owned\x07\u202e"
    notebook = as_json(work)
    own = {"cell_type": "code", "execution_count": None, "outputs": [], "id": "own"}
    name = {"grade_id": evil, "solution": True, "grade": False, "locked": False}
    name |= {"schema_version": 3, "task": False}
    notebook["cells"].append({**own, "source": "1", "metadata": {"nbgrader": name}})
    _write(folder, notebook)
    (folder / f"{evil}.ipynb").write_text("{")
    (folder / "timestamp.txt").write_text(f"{evil}\n")
