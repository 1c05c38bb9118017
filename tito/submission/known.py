"""What is known of the names of Python and its libraries: what they keep, and what they lead to."""

import re

#: Modules without a memory of their own, but for the calls below.
MODULES = {
    *("__future__", "abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses"),
    *("datetime", "enum", "fractions", "functools", "heapq", "itertools", "json", "math"),
    *("matplotlib", "numbers", "numpy", "operator", "pprint", "random", "re", "statistics"),
    *("string", "textwrap", "time", "tinytorch", "typing", "warnings"),
}
#: What those import themselves, and what leads to everything else.
HIDDEN = {"sys", "os", "builtins", "inspect", "gc", "types", "weakref", "importlib", "threading"}
#: Functions through which any name may be read or bound, and names that IPython keeps.
OPAQUE = {
    *("eval", "exec", "compile", "globals", "locals", "dir", "__import__", "get_ipython"),
    *("breakpoint", "help", "open", "exit", "quit", "__builtins__", "In", "Out", "_", "__", "___"),
    *("_i", "_ii", "_iii", "_ih", "_oh", "_dh", "get_type_hints"),
}
HISTORY = re.compile(r"_i?[0-9]+")
DUNDER = re.compile(r"__[a-z]+__")
#: Attributes with two underscores that lead to nothing but the object itself.
DUNDERS = {*dir(list), *dir(dict), *dir(float), *dir(type(len)), "__post_init__", "__bool__"}
DUNDERS |= {"__dict__", "__enter__", "__exit__", "__next__", "__slots__", "__version__", "__file__"}
DUNDERS -= {"__subclasshook__", "__init_subclass__", "__self__", "__reduce__", "__reduce_ex__"}
#: Functions of libraries that change what all share, or keep what they were given.
LASTING_CALLS = {
    *("cache", "lru_cache", "singledispatch", "register", "seterr", "seterrcall", "setbufsize"),
    *("update_wrapper", "set_printoptions", "simplefilter", "filterwarnings", "resetwarnings"),
    *("save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "memmap", "fromfile"),
    *("tofile", "savefig"),
}
#: Functions of NumPy that leave in memory what was there before.
UNSET = {"empty", "empty_like"}
SETTERS = {"setattr", "delattr", "__setattr__", "__delattr__"}
#: What makes random numbers of its own.
GENERATORS = {"default_rng", "Generator", "SeedSequence", "PCG64", "Philox", "MT19937", "SFC64"}
GENERATORS |= {"BitGenerator", "Random", "RandomState"}
#: Of random numbers that all share. Where nobody gives them a seed they differ from run to run,
#: whoever has drawn some before.
DRAWS = {
    *("choice", "choices", "gauss", "normal", "permutation", "rand", "randint", "randn", "random"),
    *("random_sample", "randrange", "sample", "shuffle", "standard_normal", "uniform"),
}
DECORATORS = {
    *("property", "staticmethod", "classmethod", "abstractmethod", "dataclass", "setter", "getter"),
    *("deleter", "overload", "override", "wraps", "contextmanager", "cached_property"),
    *("total_ordering", "final"),
}
#: Methods that are given a class.
OF_CLASSES = {"__new__", "__init_subclass__", "__class_getitem__"}
#: What gives a class or a function that is there already.
GIVES_CLASSES = {"type", "mro", "staticmethod"}
#: What makes values that nobody can change, and what does where its arguments are such.
VALUES = {"float", "int", "bool", "str", "complex", "float16", "float32", "float64"}
VALUES |= {"int32", "int64", "finfo"}
WRAPPERS = {"frozenset", "namedtuple", "TypeVar", "field", "property", "staticmethod", "getLogger"}
NUMERIC = {"np", "numpy", "math"}
