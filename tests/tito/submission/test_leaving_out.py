"""What is left out of a submission changes no mark, whatever the student's code is like."""

import itertools
import sys
from collections.abc import Sequence

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tests.tito.small_course import named
from tito.submission.leaving_out import leave_out

SOLUTION = """
class Walk:
    def __init__(self, rate=1.0):
        self.rate, self.way = rate, []

    def step(self, g):
        self.way.append(self.rate * g)
        return self.way[-1]
"""
DEMONSTRATIONS = [
    'if __name__ == "__main__":\n    for step in range(40):\n        Walk().step(step)',
    "SCALES = [2.0, 3.0]\n\n\ndef walked(n):\n    return [i * SCALES[0] for i in range(n)]",
    'if __name__ == "__main__":\n    walk, total = Walk(2.0), 7.0',
    'if __name__ == "__main__":\n    walk.step(total)\n    print(walk.way)',
]
ASKED = {"Walk"}

#: What the student writes behind the class, and which demonstrations may still be left out.
ALL, NONE = {0, 1, 2, 3}, set()
HARMLESS = {
    "nothing": "",
    "a helper": "def helper(g):\n    return g * 2\n\n\nprint(helper(3))",
    "constants": "E = 1e-8\nBETAS = (0.9, 0.999)\n\n\ndef e():\n    return E * BETAS[0]",
    "a wrapped method": "first = Walk.step\nWalk.step = lambda self, g: first(self, g)",
    "an experiment": "mine = Walk()\nfor step in range(3):\n    mine.step(step)\nprint(mine.way)",
    "names of demonstrations": "walk = Walk()\ntotal = 3\nprint(total, walk.step(total))",
    "the name of its class": "Walk.name = lambda self: type(self).__name__",
    "random numbers of its own": "import numpy as np\nprint(np.random.default_rng(0).random())",
    "what is not finished": "def later(:",
    "figures": "%matplotlib inline\nimport json, datetime\nprint(json.dumps({}))",
    "an experiment in two cells": "w = Walk()\n### next cell\nw.best, w.seen = [1], {}",
    "two names at once": "rates, rate = [1.0, 2.0], 0.5\n\n\ndef mine(g):\n    return rate * g",
    "its own property": "Walk.double = property(lambda self: 2 * self.rate)",
    "random numbers without a seed": (
        "import numpy as np\nfirst = Walk.step\n"
        "Walk.step = lambda self, g: np.random.normal() and first(self, g)"
    ),
    "an attribute of its object by name": (
        "first = Walk.step\nWalk.step = lambda self, g: setattr(self, 'last', g) or first(self, g)"
    ),
    "the attributes of its object": (
        "first = Walk.step\n"
        "Walk.step = lambda self, g: self.__dict__.update(last=g) or first(self, g)"
    ),
}
#: What keeps something from one call to the next, so that calls by demonstrations show in a mark:
#: before the method, in it, what it adds to the step, and its last argument.
KEEPS = {
    "a class attribute": ("Walk.n = 0", "Walk.n += 1", "Walk.n"),
    "a list of the class": ("Walk.kept = []", "self.kept.append(g)", "len(self.kept)"),
    "a list of the notebook": ("kept = []", "kept.append(g)", "len(kept)"),
    "a list under two names": ("a = []\nWalk.kept = a", "self.kept.append(g)", "len(self.kept)"),
    "a global counter": ("n = 0", "global n; n += 1", "n"),
    "a default": ("", "kept.append(g)", "len(kept)", "kept=[]"),
    "a default of the notebook": ("a = []", "kept.append(g)", "len(kept)", "kept=a"),
    "an alias of the class": ("Walk.n = 0", "kind = type(self); kind.n += 1", "self.n"),
    "an alias of a global": ("Walk.n = 0", "kind = Walk; kind.n += 1", "self.n"),
    "the class of the object": ("Walk.n = 0", "self.__class__.n += 1", "self.n"),
    "setattr": ("Walk.n = 0", "setattr(Walk, 'n', Walk.n + 1)", "self.n"),
    "setattr of the object's class": (
        "Walk.n = 0",
        "setattr(type(self), 'n', self.n + 1)",
        "self.n",
    ),
    "setattr of an alias": ("Walk.n = 0", "k = type(self); setattr(k, 'n', k.n + 1)", "self.n"),
    "setattr of the class": ("Walk.n = 0", "setattr(self.__class__, 'n', self.n + 1)", "self.n"),
    "setattr by a name made": ("Walk.n = 0", "setattr(Walk, 'nm'[0], Walk.n + 1)", "self.n"),
    "setattr of a class in an attribute": (
        "class A:\n    n = 0\n\n\nWalk.other = A",
        "setattr(self.other, 'n', A.n + 1)",
        "A.n",
    ),
    "setattr of a global": ("class A:\n    n = 0", "setattr(A, 'n', A.n + 1)", "A.n"),
    "an attribute of the function": ("", "step.n = getattr(step, 'n', 0) + 1", "step.n"),
    "shared random numbers": ("import random\nrandom.seed(3)", "pass", "random.random()"),
    "numpy's": ("import numpy as np\nnp.random.seed(3)", "pass", "np.random.rand()"),
    "an imported generator": ("from random import random, seed\nseed(3)", "pass", "random()"),
    "a seed by name": (
        "import numpy as np\ngetattr(np.random, 'seed')(3)",
        "pass",
        "np.random.rand()",
    ),
    "an iterator": ("numbers = iter(range(1000))", "pass", "next(numbers)"),
    "the namespace": ("n = 0", "globals()['n'] += 1", "n"),
    "exec": ("n = 0", "exec('n += 1', globals())", "n"),
    "a star import": ("from random import *\nseed(3)", "pass", "random()"),
    "a module of its own": ("import sys\nsys.n = 0", "sys.n += 1", "sys.n"),
    "a cache": (
        "import functools\nseen = functools.lru_cache(None)(lambda kind: [])",
        "seen(0).append(g)",
        "len(seen(0))",
    ),
    "a closure": (
        "def counter():\n    n = [0]\n\n    def count():\n        n[0] += 1\n"
        "        return n[0]\n    return count\n\n\ncount = counter()",
        "pass",
        "count()",
    ),
    "a decorated function": (
        "def once(f):\n    kept = []\n    return lambda: kept.append(1) or len(kept)\n\n\n"
        "@once\ndef count():\n    return 0",
        "pass",
        "count()",
    ),
    "a callable object": (
        "class Count:\n    n = 0\n\n    def __call__(self):\n        self.n += 1\n"
        "        return self.n\n\n\ncount = Count()",
        "pass",
        "count()",
    ),
    "a walrus": ("print(kept := [])", "kept.append(g)", "len(kept)"),
    "a loop's name": ("for kept in [[]]:\n    pass", "kept.append(g)", "len(kept)"),
    "an object under a condition": ("if True:\n    kept = []", "kept.append(g)", "len(kept)"),
    "a name of a match": ("match []:\n    case kept:\n        pass", "kept.append(g)", "len(kept)"),
    "a walrus in a signature": ("def f(g=(kept := [])):\n    pass", "kept.append(g)", "len(kept)"),
    "a walrus in a class": ("class A:\n    (kept := [])", "A.kept.append(g)", "len(A.kept)"),
    "a class that adds": (
        "class A:\n    a = ()\n    a += ([],)",
        "A.a[0].append(g)",
        "len(A.a[0])",
    ),
    "a builtin's name": ("sum = []\nWalk.kept = sum", "self.kept.append(g)", "len(self.kept)"),
    "one of two targets": ("Walk.kept, n = [], 0", "self.kept.append(g)", "len(self.kept)"),
    "a class by another name": ("W = Walk\nW.kept = []", "self.kept.append(g)", "len(self.kept)"),
    "a class of a loop": (
        "for kind in [Walk]:\n    kind.kept = []",
        "self.kept.append(g)",
        "len(self.kept)",
    ),
    "setattr outside": ("setattr(Walk, 'kept', [])", "self.kept.append(g)", "len(self.kept)"),
    "what is added": ("Walk.a = ()\nWalk.a += ([],)", "self.a[0].append(g)", "len(self.a[0])"),
    "a default of a tuple": (
        "from collections import namedtuple\nA = namedtuple('A', 'kept', defaults=[[]])",
        "A().kept.append(g)",
        "len(A().kept)",
    ),
    "methods of a list": (
        "a = []\nWalk.add, Walk.n = staticmethod(a.append), staticmethod(a.__len__)",
        "self.add(g)",
        "self.n()",
    ),
    "a default of an object": (
        "class A:\n    def __init__(self):\n        self.kept = []\n\n\na = A()",
        "kept.append(g)",
        "len(kept)",
        "kept=a.kept",
    ),
    "an attribute of an object": (
        "class A:\n    def __init__(self):\n        self.kept = []\n\n\nA_ = A()\n"
        "Walk.kept = A_.kept",
        "self.kept.append(g)",
        "len(self.kept)",
    ),
    "a comparison": (
        "import numpy as np\nWalk.kept = np.zeros(99) > 0",
        "self.kept[self.kept.sum()] = True",
        "int(self.kept.sum())",
    ),
    "a view": (
        "import numpy as np\nWalk.kept = np.zeros(1).T",
        "self.kept[0] += 1",
        "float(self.kept[0])",
    ),
    "random under another name": ("import random as r\nr.seed(3)", "pass", "r.random()"),
    "a draw's name": ("import numpy as np\nnp.random.seed(3)\nr = np.random.rand", "pass", "r()"),
    "a draw as a default": ("import random\nrandom.seed(3)", "pass", "r(0, 1)", "r=random.uniform"),
    "a default of a default": ("", "pass", "n()", "n=lambda kept=[]: kept.append(1) or len(kept)"),
    "numpy's under another name": ("import numpy.random as r\nr.seed(3)", "pass", "r.rand()"),
    "numpy's as an object": ("import numpy as np\nr = np.random\nr.seed(3)", "pass", "r.rand()"),
    "numpy's in a function": (
        "import numpy as np\nnp.random.seed(3)",
        "r = np.random",
        "r.rand()",
    ),
    "one of two aliases": ("Walk.n = 0", "kind, one = Walk, 1; kind.n += one", "self.n"),
    "an alias of an annotation": ("Walk.n = 0", "kind: type = Walk; kind.n += 1", "self.n"),
    "an alias of a walrus": ("Walk.n = 0", "(kind := Walk); kind.n += 1", "self.n"),
    "an alias of a condition": ("Walk.n = 0", "kind = Walk if g else 0; kind.n += g > 0", "self.n"),
    "an alias of a list": ("Walk.n = 0", "kind = [Walk][0]; kind.n += 1", "self.n"),
    "an alias of a loop": ("Walk.n = 0", "for i, kind in enumerate([Walk]): kind.n += 1", "self.n"),
    "an alias of bases": ("Walk.n = 0", "kind = type(self).mro()[0]; kind.n += 1", "self.n"),
    "a class in an attribute": ("Walk.n = 0", "self.kind = Walk; self.kind.n += 1", "self.n"),
    "a type in an attribute": ("Walk.n = 0", "self.kind = type(self); self.kind.n += 1", "self.n"),
    "a class in a class": (
        "class A:\n    class B:\n        n = 0\n\n    def count(self):\n        self.B.n += 1\n"
        "        return self.B.n",
        "pass",
        "A().count()",
    ),
    "a class method": (
        "class A:\n    n = 0\n\n    @classmethod\n    def count(kind):\n        kind.n += 1",
        "A.count()",
        "A.n",
    ),
    "setattr as an object": ("Walk.n = 0\nput = setattr", "put(Walk, 'n', Walk.n + 1)", "self.n"),
    "setattr of types": (
        "Walk.n = 0",
        "put = type.__setattr__; put(Walk, 'n', Walk.n + 1)",
        "self.n",
    ),
    "a decorator with a known name": (
        "def override(f):\n    kept = []\n    return lambda: kept.append(1) or len(kept)\n\n\n"
        "@override\ndef count():\n    return 0",
        "pass",
        "count()",
    ),
    "a base that is made": (
        "def base():\n    kept = []\n\n    class A:\n        def count(self):\n"
        "            kept.append(1)\n            return len(kept)\n    return A\n\n\n"
        "class B(base()):\n    pass",
        "pass",
        "B().count()",
    ),
    "a text that is an attribute": (
        "",
        "getattr(step, '__dict__').setdefault('n', []).append(g)",
        "len(step.n)",
    ),
}
if sys.version_info < (3, 14):  # where annotations run as the function is defined
    WALRUS = "def f(g: (kept := [])):\n    pass"
    KEEPS["a walrus in an annotation"] = (WALRUS, "kept.append(g)", "len(kept)")
#: What reads names that demonstrations bind, and which of them may be left out then.
READS = {
    "a function": ("Walk.step = lambda self, g: g + len(walked(5))", {0, 2, 3}),
    "a list": ("Walk.step = lambda self, g: g * SCALES[0]", set()),
    "a name under main": ("Walk.step = lambda self, g: g + total", {0, 1, 3}),
    "an object that others change": ("Walk.step = lambda self, g: g + len(walk.way)", set()),
    "a list that grows": ("Walk.step = lambda self, g: SCALES.append(g) or len(SCALES)", set()),
    "a loop's name": ("Walk.step = lambda self, g: g + step", {1, 2, 3}),
    "through globals": ("Walk.step = lambda self, g: g + globals()['SCA' + 'LES'][0]", set()),
    "through eval": ("Walk.step = lambda self, g: g + eval('tot' + 'al')", set()),
}

#: What needs names as it runs, behind all demonstrations.
NEEDS = {
    "what is added to": ("total += 1\nWalk.step = lambda self, g: g + 1", {0, 1}),
    "a hint": ("total: int\nn = float(total)\nWalk.step = lambda self, g: g + n", {0, 1, 3}),
    "what is deleted": ("del SCALES\nWalk.step = lambda self, g: g + 1", {0, 2, 3}),
    "a class with the name": (
        "class A:\n    total = total\n\n\nWalk.step = lambda self, g: g + A.total",
        {0, 1, 3},
    ),
    "what an error left unbound": (
        "from contextlib import suppress\nwith suppress(NameError):\n    nothing\n    total = 0\n"
        "Walk.n = float(total)\nWalk.step = lambda self, g: g + self.n",
        {0, 1, 3},
    ),
    "an object by another name": (
        "walk = other = Walk()\n### next cell\n"
        "Walk.n = int(len(other.way))\nWalk.step = lambda self, g: self.n",
        {0, 1},
    ),
}


def keeping(before: str, change: str, adds: str, default: str = "") -> str:
    """A cell that gives the class a method which keeps something."""
    arguments = f"self, g, {default}" if default else "self, g"
    return (
        f"{before}\nfirst = Walk.step\n\n\ndef step({arguments}):\n    {change}\n"
        f"    return first(self, g) + {adds}\n\n\nWalk.step = step"
    )


def cells(extra: str, behind: int, demonstrations: Sequence[str] = DEMONSTRATIONS) -> NotebookNode:
    """A rebuilt notebook, with a cell of the student's own behind so many demonstrations."""
    solution = named(new_code_cell(SOLUTION), "walk-class", solution=True)
    graded = named(new_code_cell("test"), "test-walk", grade=True, locked=True, points=4)
    given = [new_code_cell(source) for source in demonstrations]
    own = map(new_code_cell, extra.split("### next cell\n"))
    return new_notebook(cells=[solution, *given[:behind], *own, *given[behind:], graded])


def mark(nb: NotebookNode, without: set[int] = frozenset()) -> object:
    """What the graded cell sees of the student's class when its turn comes."""
    namespace: dict = {"__name__": "__main__"}
    for index, cell in enumerate(nb.cells[:-1]):
        if index not in without:
            try:
                exec(compile(cell.source, "cell", "exec"), namespace)
            except Exception as error:
                print(error)
    try:
        walk = namespace["Walk"](0.5)
        return [walk.step(g) for g in (1.0, 2.0, 3.0)], walk.way
    except Exception as error:
        return repr(error)


def left_out(nb: NotebookNode) -> set[int]:
    """The demonstrations that are left out, by their number."""
    places = [i for i, cell in enumerate(nb.cells) if cell.source in DEMONSTRATIONS]
    found = leave_out(nb, DEMONSTRATIONS, ASKED).cells
    assert found <= set(places)
    return {places.index(i) for i in found}


@pytest.mark.parametrize("extra", HARMLESS.values(), ids=HARMLESS)
def test_what_keeps_nothing_needs_no_demonstration(extra):
    nb = cells(extra, behind=2)
    assert left_out(nb) == ALL
    assert mark(nb) == mark(nb, set(leave_out(nb, DEMONSTRATIONS, ASKED).cells))


@pytest.mark.parametrize("behind", [0, 1])
@pytest.mark.parametrize("kept", KEEPS.values(), ids=KEEPS)
def test_what_keeps_something_runs_with_all(kept, behind):
    nb = cells(keeping(*kept), behind)
    assert mark(nb) != mark(nb, {i for i, c in enumerate(nb.cells) if c.source in DEMONSTRATIONS})
    found = leave_out(nb, DEMONSTRATIONS, ASKED)
    assert (found.cells, bool(found.reason)) == (set(), True)


@pytest.mark.parametrize("behind", [0, 2, 4])
@pytest.mark.parametrize(("extra", "needless"), READS.values(), ids=READS)
def test_what_is_read_runs_first(extra, needless, behind):
    nb = cells(extra, behind)
    found = leave_out(nb, DEMONSTRATIONS, ASKED).cells
    assert left_out(nb) == needless
    assert mark(nb) == mark(nb, set(found))
    assert mark(nb) != mark(nb, {i for i, c in enumerate(nb.cells) if c.source in DEMONSTRATIONS})


@pytest.mark.parametrize(("extra", "needless"), NEEDS.values(), ids=NEEDS)
def test_what_is_needed_at_once_runs(extra, needless):
    first, *then = extra.split("### next cell\n")
    nb = cells(first, 3 if then else 4)
    nb.cells[-1:-1] = map(new_code_cell, then)
    assert left_out(nb) == needless
    assert mark(nb) == mark(nb, set(leave_out(nb, DEMONSTRATIONS, ASKED).cells))
    assert mark(nb) != mark(nb, {i for i, c in enumerate(nb.cells) if c.source in DEMONSTRATIONS})


ORDERS = [list(order) for order in itertools.permutations(range(4))]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_demonstrations_that_were_moved_change_no_mark(order):
    moved = [DEMONSTRATIONS[i] for i in order]
    for extra, _ in READS.values():
        nb = cells(extra, 2, moved)
        assert mark(nb) == mark(nb, set(leave_out(nb, DEMONSTRATIONS, ASKED).cells)), extra


@pytest.mark.parametrize("seed", ["np.random.seed(3)", "getattr(np.random, 'seed')(3)"])
def test_where_a_demonstration_gives_a_seed_whatever_draws_runs(seed):
    given = [f"import numpy as np\n{seed}", "np.random.rand()"]
    nb = cells("Walk.step = lambda self, g: g + np.random.rand()", 2, given)
    assert mark(nb) != mark(nb, {2})
    assert leave_out(nb, given, ASKED).cells == set()


def test_a_demonstration_that_was_edited_runs():
    edited = [*DEMONSTRATIONS[:2], DEMONSTRATIONS[2].replace("7", "9"), DEMONSTRATIONS[3]]
    assert left_out(cells("", 2, edited)) == {0, 1, 2}


@pytest.mark.parametrize("change", ["np.seterr(all='raise')", "np.random.seed(1)", "Walk.n = 1"])
def test_a_demonstration_that_changes_what_all_share_runs(change):
    nb = cells("", 2, given := [*DEMONSTRATIONS[:3], f"import numpy as np\n{change}"])
    found = leave_out(nb, given, ASKED).cells
    assert [i for i, cell in enumerate(nb.cells) if cell.source in given[:3]] == sorted(found)


def test_of_more_code_than_is_looked_through_all_runs():
    assert "more code than" in leave_out(cells("# x\n" * 100_000, 2), DEMONSTRATIONS, ASKED).reason


@pytest.mark.parametrize("line", ["%time Walk()", "!ls", "Walk?", "files = !ls"])
def test_what_only_ipython_understands_runs_with_all(line):
    assert "only IPython understands" in leave_out(cells(line, 2), DEMONSTRATIONS, ASKED).reason


@pytest.mark.parametrize(
    ("imports", "used", "said"),
    [
        ("import numpy as np", "np.empty_like(g)", "memory that nothing has set"),
        ("from numpy import empty", "empty(1)[0]", "memory that nothing has set"),
        ("", "id(self.way) % 3", "the address of self.way"),
    ],
)
def test_where_it_matters_who_used_memory_before_all_runs(imports, used, said):
    nb = cells(keeping(imports, "self.way = []", used), 2)
    assert said in leave_out(nb, DEMONSTRATIONS, ASKED).reason
