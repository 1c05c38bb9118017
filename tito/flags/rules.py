"""What :mod:`~tito.flags.suspicion` looks for, as tables of names."""

from __future__ import annotations

import re
from typing import Any

IPYTHON = "uses IPython's internals"
FRAMES = "looks into frames or compiled code"
TRACING = "watches code while it runs"
PROCESSES = "starts, ends or signals processes"
CONCURRENCY = "uses threads, processes or the network"
FILES = "reads or writes files other than data"
IMPORTS = "changes how modules are found"
TEXT = "runs code from text"
MEMORY = "reaches past Python's objects"
MOCKS = "replaces things with mocks"
REPORT = "publishes output in the form of a report"
TOOLS = "uses the course's grading tools"
SHARDED = "uses the lab's sharded optimizer"

#: Names that are IPython's or Python's own, whoever binds them.
NAMES = {
    "get_ipython": IPYTHON,
    "_ih": IPYTHON,
    "_oh": IPYTHON,
    "__builtins__": "reaches Python's builtins as a whole",
    "__loader__": IMPORTS,
}

#: Names that mean something unless the student binds them.
BUILTINS = frozenset(
    "In Out _i _ii _iii exec eval compile __import__ open setattr delattr display "
    "float BaseException KeyboardInterrupt SystemExit".split()
)


def _each(meaning: str | None, names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), meaning)


#: Attributes, of whatever object.
ATTRIBUTES: dict[str, str] = {
    **_each(
        IPYTHON,
        "run_cell run_cell_async run_code run_ast_nodes do_execute "
        "ast_transformers ast_node_interactivity input_transformer_manager "
        "input_transformers_post input_transformers_cleanup history_manager "
        "displayhook display_pub display_formatter set_custom_exc user_ns "
        "comm_manager parent_header iopub_socket shell_stream shell_handlers",
    ),
    **_each(
        FRAMES,
        "__code__ __globals__ __closure__ __kwdefaults__ __subclasses__ "
        "f_locals f_globals f_back f_code f_builtins f_trace "
        "tb_frame tb_next gi_frame gi_code cr_frame cr_code co_consts _getframe _current_frames",
    ),
    **_each(TRACING, "settrace setprofile"),
    "__builtins__": NAMES["__builtins__"],
}

#: By full name. A name with a dot at its end stands for everything below, not for itself.
#: None is harmless; the longest entry that fits counts.
MEANINGS: dict[str, str | None] = {
    **_each(
        IPYTHON,
        "IPython. ipykernel jupyter_client comm zmq nbgrader sys.displayhook sys.__displayhook__ "
        "builtins.In builtins.Out builtins._i builtins._ii builtins._iii",
    ),
    **_each(REPORT, "IPython.display.publish_display_data"),
    **_each(
        TRACING,
        "sys.settrace sys.setprofile sys.monitoring sys.addaudithook "
        "sys.excepthook sys.breakpointhook sys.unraisablehook bdb trace",
    ),
    **_each(
        FRAMES,
        "sys._getframe sys._current_frames dis opcode inspect. "
        "types.CodeType types.FunctionType types.FrameType",
    ),
    **_each(
        IMPORTS,
        "sys.modules sys.path sys.meta_path sys.path_hooks sys.path_importer_cache "
        "importlib. importlib.util. imp runpy pkgutil zipimport site builtins.__import__",
    ),
    **_each(TEXT, "builtins.exec builtins.eval builtins.compile code codeop marshal"),
    **_each(MEMORY, "gc ctypes cffi _ctypes mmap numpy.ctypeslib"),
    **_each(MOCKS, "unittest.mock mock forbiddenfruit"),
    **_each(
        PROCESSES,
        "subprocess signal atexit pty fcntl ptrace _posixsubprocess resource.setrlimit "
        "resource.prlimit os.system os.popen os.fork os.forkpty os._exit os.abort os.kill "
        "os.killpg os.execv os.execve os.execvp os.execvpe os.execl os.execle os.execlp "
        "os.execlpe os.posix_spawn os.posix_spawnp os.spawnv os.spawnl os.spawnve os.setsid "
        "os.nice os.wait os.waitpid os.getppid os.setpgid",
    ),
    **_each(
        CONCURRENCY,
        "socket socketserver threading _thread multiprocessing asyncio "
        "concurrent.futures http urllib.request requests ssl select",
    ),
    **_each(
        FILES,
        "builtins.open io.open io.FileIO io.open_code codecs.open os. "
        "shutil tempfile glob fileinput linecache sqlite3 nbformat",
    ),
    **_each(TOOLS, "tito tinytorch.checks."),
    **_each(SHARDED, "tinytorch.parallel.sharded tinytorch.parallel.ShardedOptimizer"),
    **_each(
        None,
        "IPython.display "
        "inspect.signature inspect.Parameter inspect.Signature inspect.getdoc "
        "inspect.isclass inspect.isfunction inspect.ismethod inspect.iscallable "
        "importlib.reload importlib.util importlib.util.find_spec "
        "importlib.metadata importlib.resources "
        "os.path os.sep os.linesep os.name os.cpu_count os.PathLike os.fspath os.getcwd "
        "tinytorch.checks tinytorch.checks.Checks tinytorch.checks.snapshot "
        "tinytorch.checks.Between tinytorch.checks.OneOf tinytorch.checks.Contains "
        "tinytorch.checks.AnyValue tinytorch.checks.Not tinytorch.checks.GreaterThan",
    ),
}

#: Functions of Python that the locked cells rely on and that no one needs to write.
JUDGING_BUILTINS = frozenset(
    "isinstance type getattr setattr hasattr len float int bool str repr dict list tuple "
    "Exception BaseException __build_class__".split()
)

#: Methods by which an object can deceive those who compare or show it.
METHODS = frozenset(
    "__eq__ __ne__ __array_function__ __array_ufunc__ __array_wrap__ __array_finalize__ "
    "__getattribute__ __class__ __instancecheck__ __subclasscheck__ __reduce__ __reduce_ex__ "
    "_repr_mimebundle_ _ipython_display_".split()
)
BASES = frozenset(
    "numpy.ndarray numpy.generic numpy.float64 numpy.float32 numpy.matrix builtins.float "
    "builtins.BaseException builtins.KeyboardInterrupt builtins.SystemExit".split()
)

HARMLESS_MAGICS = frozenset(
    "matplotlib time timeit prun lprun mprun memit config precision load_ext autoreload "
    "reload_ext capture pinfo pinfo2 psearch who whos who_ls pwd pdb debug tb xmode pprint "
    "pylab".split()
)
#: Of these, the ones that run the rest of their line or cell.
TIMING_MAGICS = frozenset("time timeit prun lprun mprun memit capture".split())

HARMLESS_SETTINGS = frozenset(
    "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS NUMEXPR_NUM_THREADS "
    "KMP_DUPLICATE_LIB_OK MPLBACKEND".split()
)
DATA_SUFFIXES = frozenset(".csv .txt .tsv .json .npy .npz .gz .pkl .png .svg .pdf".split())
PATH_METHODS = frozenset(
    "read_text read_bytes write_text write_bytes iterdir rglob unlink symlink_to hardlink_to "
    "rmdir touch".split()
)
NUMPY_FILES = frozenset(
    f"numpy.{name}" for name in "load loadtxt genfromtxt fromfile memmap save savez savetxt".split()
)


def is_relied_on(name: str, full: str, package: str) -> bool:
    """Whether a name that locked cells import must stay what it is.

    So must NumPy, the classes of the course's package, and its checks. Its functions have names,
    such as ``mean``, that students use for things of their own.
    """
    own = full.startswith(f"{package}.") and (name[:1].isupper() or f"{package}.checks." in full)
    return full == "numpy" or own


#: Parts of the longest full name above.
_MOST_PARTS = max(entry.count(".") + 1 for entry in MEANINGS)


#: What a chapter's text gives: the checks of a graded cell, to be shown also for one method.
_CHECKS = re.compile(r"tinytorch\.checks\.for_\w+\.\w+\.checks(\.show|\.run)?")


def meaning(full: str) -> str | None:
    """Return what the use of a full name says; None if nothing."""
    if full in MEANINGS:
        return MEANINGS[full]
    if _CHECKS.fullmatch(full):
        return None
    above = full.split(".")[:-1][:_MOST_PARTS]
    while above:
        prefix = ".".join(above)
        for entry in (f"{prefix}.", prefix):
            if entry in MEANINGS:
                return MEANINGS[entry]
        above.pop()
    return None
