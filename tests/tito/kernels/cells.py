"""Cells that are nasty to a kernel, or to whoever reads what it says."""

import json
import re

from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

#: What differs by design, and why: patterns in a notebook's outputs, and what both sides get.
DIFFERENT = [
    # A kernel names a cell's file by its process, which differs from run to run.
    (r"/tmp/ipykernel_\d+/\d+\.py", "CELL"),
    (r"\(\d+\.py, line ", "(CELL, line "),
    # Times are measured.
    (r"(CPU times|Wall time): [^\\]*", "TIME"),
    (r"[\d.]+ .?s ± [^\\\"]*", "TIMES"),
]


def comparable(nb: NotebookNode, what: str) -> list:
    """Return a field of each cell with its outputs, without what differs by design."""
    # Into how many pieces a printed text is cut is a matter of time.
    nb, _ = CoalesceStreamsPreprocessor().preprocess(nb, {})
    made = json.dumps([[one[what], one.get("outputs")] for one in nb.cells], ensure_ascii=False)
    for pattern, both in DIFFERENT:
        made = re.sub(pattern, both, made)
    return json.loads(made)


#: Shell commands that print. They wait until IPython's threads have read it: stock ipykernel shows
#: what a process wrote before or after what comes next, as it happens.
CHILD = "echo from a child; sleep 0.5"
BOTH = "echo out; sleep 0.5; echo err >&2; sleep 0.5"

CELLS = {
    "prints": [
        "print('a'); import sys; print('b', file=sys.stderr); print('c')",
        f"import os; os.system({CHILD!r}); None",
        "!echo shell",
        f"import subprocess; subprocess.run({BOTH!r}, shell=True).returncode",
        "import threading as t; t = t.Thread(target=print, args=('a',)); t.start(); t.join()",
        "import warnings; warnings.warn('careful')",
        "print('x' * 300_000)",
        "%time x = 3",
        "for i in range(300): print(i, flush=True)",
        "sys.stdout.write('no end'); sys.stdout.writelines(['a', 'b'])",
        "print('é😀\\x1b[1m', end='\\r'); sys.stderr.write('x'), sys.stdout.isatty()",
        "%%capture kept\nprint('kept'); 5",
        "kept.show()",
        "import logging; logging.warning('logged'); logging.getLogger().handlers.clear()",
    ],
    "errors": [
        "1 / 0",
        "def f(:",
        "class E(Exception): pass\nraise E('own')",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])",
        "def inner(n): return 1 / n\ntry:\n    inner(0)\nexcept ZeroDivisionError as e:\n"
        "    raise ValueError('chained') from e",
        "import json; json.loads('{')",
        "def deep(n): return deep(n + 1)\ntry:\n    deep(0)\nexcept RecursionError as e: print(e)",
        "x = [1, 2\n",
        "  y = 1\n z = 2",
        "print('before'); undefined",
        "get_ipython().showtraceback()",
        "raise",
        "'still ' + 'here'",
    ],
    "displays": [
        "from IPython.display import display, HTML, clear_output\ndisplay(HTML('<b>x</b>')); 'y'",
        "print('gone'); clear_output(); print('stays')",
        "print('gone'); clear_output(wait=True); display('stays')",
        "print('gone'); clear_output(wait=True)",
        "h = display('one', display_id=True); print('and'); h.update('two'); h.display('three')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.gcf().get_axes().__len__()",
        "print('above'); plt.plot([2, 1]); plt.show(); print('below')",
        "import numpy as np; np.arange(4).reshape(2, 2)",
        "display({'application/json': {'a': [1, None]}, 'text/plain': 'a'}, raw=True)",
        "display({'image/png': b'bytes', 'text/plain': 'a'}, raw=True)",
        "get_ipython().run_cell('40 + 2'); None",
        "from IPython.display import Markdown, JSON; display(Markdown('*x*'), JSON({'a': 1}))",
        "class R:\n  def _repr_html_(s): return '<i>r</i>'\n  def __repr__(s): return 'r'\nR()",
        "class B:\n    def __repr__(self): 1 / 0\nB()",
        "display('a', metadata={'x': 1}); display()",
        "display(7, 8); 9;",
        "import sys; sys.displayhook('direct')",
    ],
    "others": [
        "import asyncio\nawait asyncio.sleep(0)\nprint('awaited')",
        "task = asyncio.ensure_future(asyncio.sleep(0, 'late')); await task",
        "await asyncio.sleep(0); 1 / 0",
        "task = asyncio.get_running_loop().create_task(asyncio.sleep(0, 'begun')); None",
        "task.done()",
        "async def later():\n    await asyncio.sleep(0.2); print('of an earlier cell')\n"
        "task = asyncio.create_task(later())",
        "await asyncio.sleep(0.4); print('of this one')",
        "asyncio.run(None)",
        "[n async for n in (m for m in [])] if False else [line for line in range(5)]",
        "async with asyncio.timeout(5): print('within')",
        "_, Out[max(Out)] == _",
        "__name__, get_ipython().__class__.__name__, 'IPKernelApp' in get_ipython().config",
        "open('helper.py', 'w').write('x = 1'); import helper; helper.x",
        "%%timeit -n1 -r1\npass",
        "%%writefile f.txt\ntext",
        "%run -i nothing.py",
        "%no_such_magic",
        "%%no_such_magic\n",
        "files = !echo one; echo two\nfiles",
        "print?",
        "len??",
        "%alias_magic t timeit",
        "%matplotlib inline",
        "%config InlineBackend.figure_format",
        "%whos int",
        "%precision 2\n3.14159",
        "import tqdm.auto; tqdm.auto.__name__",
        "x = 5; x; x = 6",
        "get_ipython().ast_node_interactivity = 'all'",
        "1; 2",
        "exit",
    ],
}
