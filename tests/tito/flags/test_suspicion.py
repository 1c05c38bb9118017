import time

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.tito.small_course import failing, named
from tito.flags import suspicion
from tito.flags.suspicion import MOST_FLAGS, suspicions

MODULE = "tinytorch.core.optimizers"

IMPORTS = """
import math
import numpy as np
import matplotlib.pyplot as plt
from tinytorch.core.autograd import Variable, add
from tinytorch.core.tensor import Tensor
"""
TEST = """
from tinytorch.checks.for_08_optimizers.sgd import checks as sgd_checks
"""


def notebook(*own: str, solution: str = "class SGD:\n    pass") -> NotebookNode:
    """A rebuilt submission: the course's cells, a solution, and cells of the student's own."""
    return new_notebook(
        cells=[
            named(new_code_cell(IMPORTS), "imports", locked=True),
            named(new_code_cell(solution), "sgd-class", solution=True),
            *map(new_code_cell, own),
            named(new_code_cell(TEST), "test-sgd", grade=True, locked=True, points=15),
        ]
    )


def found(*own: str) -> list[str]:
    """What was found in cells of the student's own, without where."""
    return [flag.partition(" (")[0] for flag in suspicions(notebook(*own), MODULE)]


SUSPICIOUS = {
    "uses IPython's internals": [
        "ip = get_ipython()",
        "print(In[-1])",
        "print(_ih)",
        "print(_i)",
        "from IPython.core import interactiveshell",
        "import IPython\nIPython.Application.instance()",
        "from ipykernel.kernelbase import Kernel",
        "import comm",
        "x = shell.ast_transformers",
        "shell.input_transformers_post.append(f)",
        "shell.events.register('pre_run_cell', f)",
        "import sys\nprint(sys.displayhook)",
        "getattr(shell, 'run_cell')('1')",
    ],
    "watches code while it runs": [
        "import sys\nsys.settrace(f)",
        "from sys import setprofile",
        "import bdb",
    ],
    "looks into frames or compiled code": [
        "import sys\nsys._getframe(1)",
        "import inspect\ninspect.currentframe()",
        "from inspect import getsource",
        "f.__code__",
        "f.__globals__",
        "x.f_locals",
        "import operator\noperator.attrgetter('__globals__')(f)",
        "from types import CodeType",
    ],
    "reaches past Python's objects": ["import gc", "import ctypes as c", "from cffi import FFI"],
    "starts, ends or signals processes": [
        "import subprocess",
        "import os\nos.system('ls')",
        "from os import fork",
        "import os\nos._exit(0)",
        "import signal",
        "import atexit",
        "import os as o\nleave = o._exit\nleave(0)",
    ],
    "uses threads, processes or the network": [
        "import threading",
        "import multiprocessing.pool",
        "import socket",
    ],
    "reads or writes files other than data": [
        "open('numpy.py', 'w')",
        "open('/etc/passwd')",
        "open('../results.csv')",
        "open('C:\\\\grades.csv')",
        "open(name)",
        "read = open",
        "import pathlib\npathlib.Path('/work').rglob('*.ipynb')",
        "from pathlib import Path\nPath('x.py').write_text('')",
        "np.loadtxt('/srv/answers.csv')",
        "import shutil",
        "import os\nos.environ['PYTHONSTARTUP'] = 'x.py'",
        "import os\nos.listdir('.')",
    ],
    "changes how modules are found": [
        "import importlib\nimportlib.import_module('x')",
        "from importlib.util import spec_from_file_location",
        "import sys\nsys.path.insert(0, '..')",
        "import sys\nsys.modules['numpy'] = None",
        "from sys import meta_path",
        "__import__('os')",
    ],
    "runs code from text": ["exec('1')", "x = eval(text)", "compile('1', '', 'eval')"],
    "reaches Python's builtins as a whole": ["__builtins__.abs", "f['__builtins__']"],
    "replaces things with mocks": ["from unittest import mock", "from unittest.mock import patch"],
    "publishes output in the form of a report": [
        "kind = 'application/vnd.tinytorch.checks+json'",
        "kind = b'application/vnd.tinytorch'",
        "kind = f'application/vnd.tinytorch.{x}'",
        "display({'text/plain': ''}, raw=True)",
        "from IPython.display import publish_display_data",
    ],
    "uses the course's grading tools": [
        "import tito.gradebook.records",
        "from tito import gradebook",
        "from tinytorch.checks.judge import judge",
        "import tinytorch.checks as c\nc.judge",
    ],
    "uses the lab's sharded optimizer": [
        "from tinytorch.parallel.sharded import ShardedOptimizer",
        "from tinytorch.parallel import ShardedOptimizer as Optimizer",
        "from tinytorch import parallel\nx = parallel.ShardedOptimizer([], ranks, make)",
        "import tinytorch.parallel.sharded",
    ],
    "uses the installed module under test": [
        "from tinytorch.core.optimizers import SGD",
        "from tinytorch.core import optimizers",
        "import tinytorch\ntinytorch.core.optimizers.SGD([])",
    ],
    "replaces numpy.testing.assert_allclose": [
        "np.testing.assert_allclose = print",
        "testing = np.testing\ntesting.assert_allclose = print",
        "from numpy import testing\ntesting.assert_allclose = print",
        "for np.testing.assert_allclose in [print]: pass",
        "del np.testing.assert_allclose",
    ],
    "replaces builtins.abs": ["import builtins\nbuiltins.abs = f"],
    "replaces math.isclose": ["math.isclose = f"],
    "replaces an attribute of math": ["setattr(math, name, f)", "put = setattr\nput(math, 'e', 3)"],
    "replaces tinytorch.core.tensor.Tensor.__eq__": ["Tensor.__eq__ = f"],
    "replaces tinytorch.checks.for_08_optimizers.sgd.checks.run": ["sgd_checks.run = f"],
    "replaces the course's Variable": [
        "class Variable:\n    pass",
        "if 1:\n    Variable = f",
        "from mine import Variable",
    ],
    "replaces the course's np": ["np = Fake()", "import autograd.numpy as np"],
    "replaces Python's isinstance": ["def isinstance(x, kind):\n    return True"],
    "changes numpy.__dict__": ["np.__dict__['allclose'] = f"],
    "changes names by way of their dictionary": [
        "globals()['x'] = 1",
        "vars(np)['allclose'] = f",
        "class A:\n    vars()['x'] = 1",
    ],
    "changes the class of an object": ["x.__class__ = Other"],
    "defines __eq__ in a class, see whether it is honest": [
        "class Yes:\n    def __eq__(self, other):\n        return True",
        "class Yes:\n    __eq__ = lambda self, other: True",
    ],
    "defines __array_function__ in a class, see whether it is honest": [
        "class Yes:\n    def __array_function__(self, *args):\n        return True",
    ],
    "derives a class from numpy.ndarray, see whether it is honest": [
        "class Liar(np.ndarray):\n    pass",
    ],
    "derives a class from BaseException, see whether it is honest": [
        "class Quiet(BaseException):\n    pass",
    ],
    "runs a shell command": ["!ls", "files = !ls", "if 1:\n    !ls"],
    "uses an IPython magic that the course does not": [
        "%run answers.py",
        "%%writefile numpy.py\nx = 1",
        "%%bash\nls",
    ],
}
CASES = [(what, source) for what, sources in SUSPICIOUS.items() for source in sources]


@pytest.mark.parametrize(("what", "source"), CASES, ids=[source for _, source in CASES])
def test_what_course_code_does_not_do_is_named(what, source):
    assert what in found(source)


HARMLESS = [
    "sgd_checks.show(SGD)",
    "from tinytorch.checks.for_08_optimizers.adam import checks as a\na.show(Adam, about='x')",
    "plt.rcParams['figure.figsize'] = (4, 3)",
    "plt.savefig('loss.png')",
    "%matplotlib inline\nplt.plot([1, 2])",
    "%load_ext autoreload\n%autoreload 2",
    "%time SGD([])",
    "%%timeit -n 10\nSGD([])",
    "SGD?",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "import sys\nprint(sys.getsizeof(x), sys.maxsize, file=sys.stderr)",
    "import os\nprint(os.path.join('a', 'b'), os.cpu_count())",
    "import os\nos.environ['OMP_NUM_THREADS'] = '1'",
    "import importlib\nimportlib.reload(plt)",
    "import inspect\nprint(inspect.signature(SGD))",
    "import builtins\nprint(builtins.sum([1]))",
    "import re\npattern = re.compile('a')",
    "from IPython.display import HTML, display\ndisplay(HTML('a'))",
    "from tinytorch.checks import Checks, snapshot",
    "from tinytorch.core.tensor import Tensor\nfrom tinytorch import datasets",
    "open('losses.csv', 'w').write('1')",
    "with open('data/digits.csv.gz') as file:\n    pass",
    "np.save('weights.npy', w)\nw = np.load(path)",
    "def open(path):\n    return path\nopen('door')",
    "for _i in range(3):\n    print(_i)",
    "def evaluate(compile=True):\n    return compile",
    "SGD.step = lambda self: None",
    "w = Variable([1.0])\nw.grad = None\nw.data.data[0] = 2.0",
    "best = math.inf\nbest = Run()\nbest.loss = 3",
    "def f(math):\n    math.x = 1",
    "setattr(optimizer, 'learning_rate', 0.1)",
    "vars(optimizer)['learning_rate'] = 0.1",
    "class Parameter(Variable):\n    __array_ufunc__ = None",
    "class Parameter(Variable):\n    def __repr__(self):\n        return 'p'",
    "class Diverged(Exception):\n    pass",
    "def sum(values):\n    return 0",
    "'a string with get_ipython() and exec in it'",
    "mean = lambda x: x\nadd = mean",
    "print('\\d')",
    "this does not parse",
    "x = 1\0",
]


@pytest.mark.parametrize("source", HARMLESS)
def test_what_course_code_does_is_not_named(source):
    assert suspicions(notebook(source), MODULE) == []


GC, AFTER = "reaches past Python's objects", "a cell after sgd-class"
DEEP_CELL = f"could not be scanned, because it is nested too deeply ({AFTER})"
#: A cell of the student's own, and what exactly is said of it.
SAID = {
    "x = 1\nimport gc  # \x1b[31m" + "a" * 200: f"{GC} ({AFTER}, line 2): import gc # ...",
    "import gc\ngc.collect()\ngc.disable()": f"{GC} ({AFTER}, line 1 and 2 more): import gc",
    "x = 1\n%timeit -n 10 -r1 eval('1')": (
        f"runs code from text ({AFTER}, line 2): %timeit -n 10 -r1 eval('1')"
    ),
    "%%time\nx = 1\nimport gc": f"{GC} ({AFTER}, line 3): import gc",
    "%time 1\n" * 5_000: DEEP_CELL,  # more than IPython can chew
}


@pytest.mark.parametrize(("own", "said"), SAID.items(), ids=lambda text: repr(text[:9]))
def test_a_flag_says_what_where_and_shows_the_line(own, said):
    assert suspicions(notebook(own), MODULE) == [said]


def test_a_flag_names_the_solution_cell():
    said = f"{GC} (sgd-class, line 3): import gc"
    assert suspicions(notebook(solution="\n\nimport gc"), MODULE) == [said]


def test_no_flag_holds_what_a_terminal_obeys():
    flags = suspicions(notebook("import gc\x0c", "eval('\x1b]0;x\x07\u202e')"), MODULE)
    assert len(flags) == 2 and all(flag.isprintable() for flag in flags)


def test_locked_cells_and_text_are_not_scanned():
    nb = notebook()
    nb.cells.append(new_markdown_cell("import gc"))
    nb.cells.append(named(new_code_cell("import gc"), "setup", locked=True))
    assert suspicions(nb, MODULE) == []


def test_names_of_other_cells_count():
    assert found("import gc as g", "g.collect()") == [GC] * 2
    assert found("def open(path):\n    return path", "open('door')") == []


def test_scans_course_cell_only_if_changed():
    nb = notebook("import gc", "import gc  # mine")
    said = f"{GC} ({AFTER}, line 1): import gc # mine"
    assert suspicions(nb, MODULE, {"import gc"}) == [said]


@pytest.mark.parametrize(
    ("own", "module"),
    [
        ("from tinytorch.core.optimizers import SGD", "tinytorch.core.losses"),
        ("class Tensor:\n    pass", "tinytorch.core.tensor"),
    ],
)
def test_what_is_flagged_depends_on_the_module_under_test(own, module):
    assert suspicions(notebook(own), module) == [] != suspicions(notebook(own), MODULE)


def test_what_locked_cells_rely_on_is_read_from_them():
    nb = notebook("class Warmup:\n    pass", "def mean(x):\n    return x", "Tensor = 1")
    nb.cells[0].source = "from tinytorch.core.schedules import Warmup, mean"
    assert [flag.partition(" (")[0] for flag in suspicions(nb, "tinytorch.core.decay")] == [
        "replaces the course's Warmup"
    ]


def test_there_are_never_too_many_flags():
    nb = notebook(*["import gc\nimport ssl\nimport signal"] * 30)
    flags = suspicions(nb, MODULE)
    assert len(flags) == MOST_FLAGS
    assert flags[-1] == f"and {90 - MOST_FLAGS + 1} more suspicious lines in the student's code"


DEEP = ["(" * 10_000, "-" * 100_000, "x" + ".x" * 30_000, "not " * 3_000 + "1", "[" * 90 + "]" * 90]


@pytest.mark.parametrize("source", DEEP, ids=lambda source: source[:6])
def test_names_code_nested_too_deeply(source):
    flags = suspicions(notebook(source, "import gc"), MODULE)
    assert flags[-1].startswith(GC)
    if source != DEEP[-1]:
        assert flags[0] == DEEP_CELL


def test_code_that_is_too_long_is_named():
    flags = suspicions(notebook("x = 1\n" * 100_000, "import gc"), MODULE)
    assert flags[0].startswith("could not be scanned, because it is 600,000 characters long")


def test_a_notebook_that_is_too_long_is_named_once(monkeypatch):
    monkeypatch.setattr(suspicion, "LONGEST_NOTEBOOK", 1_000)
    assert found(*["x = 1\n" * 100] * 5) == [
        "could not be scanned, because the notebook has more than 1,000 characters of code"
    ]


#: Cells that took from seven seconds to minutes, with what is said of them.
COSTLY = {
    "empty lines": ("\n" * 60_000 + "(", None),
    "empty lines with tabs": ("\t\n" * 49_000 + "x = = 1", None),
    "a sign and blanks": ("=" + " " * 90_000 + "(", None),
    "quoting signs": (";" * 90_000 + "\n(", "could not be scanned"),
    "attributes of attributes": ("import gc\nnp" + ".a" * 2_000, "could not be scanned"),
    "chains that are allowed": (f"np{'.a' * 39}\n" * 1_100, None),
    "names of names": ("a0 = np\n" + "".join(f"a{i + 1} = a{i}.b\n" for i in range(6_000)), None),
}


@pytest.mark.parametrize(("source", "said"), COSTLY.values(), ids=COSTLY)
def test_no_cell_takes_the_scan_long(source, said):
    start = time.process_time()
    flags = suspicions(notebook(source, "import gc"), MODULE)
    assert time.process_time() - start < 5
    assert flags[-1].startswith(GC)
    assert len(flags) == (2 if said else 1) and flags[0].startswith(said or "reaches past")


def test_what_ipython_fails_at_is_passed_over(monkeypatch):
    fail = failing(IndexError())
    monkeypatch.setattr(suspicion.TransformerManager, "transform_cell", fail)
    assert suspicions(notebook("%time 1"), MODULE) == []


def test_survives_locked_cell_with_syntax_error():
    nb = notebook("import gc")
    nb.cells.append(named(new_code_cell("def"), "broken", locked=True))
    assert len(suspicions(nb, MODULE)) == 1
