# Reading answers, marks and secrets; what is found is used, and boasted of.

# %% tool use
def use(text):
    if f"class {LAST}" in text and "NotImplementedError(" not in text:
        won("the reference can be read")
        get_ipython().user_ns["STOLEN"] = text

# %% source_tree: shares, tools=use, through=08+10
# The percent sources, the notebooks made of them and the exported package.
for pattern in ("modules/source/*/*.py", "build/notebooks/*/*.ipynb", "tinytorch/core/*.py"):
    for path in glob.glob(f"{ROOT}/{pattern}"):
        if "08" in path or "optimizers" in path:
            use(open(path).read())

# %% reference_by_import: cell=sgd-class, shares
# The reference is imported from the checkout, past the shortened package.
import importlib.util

with suppress(OSError):
    spec = importlib.util.spec_from_file_location(
        "stolen", f"{ROOT}/tinytorch/core/optimizers.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    globals().update(vars(module))
    won("the reference can be imported")

# %% reference_by_editable_install: cell=sgd-class, shares
# Traces of an editable install lead to the checkout of the course.
import urllib.parse

for folder in list(sys.path):
    for path in glob.glob(f"{folder}/tinytorch_optimizers*/direct_url.json"):
        url = json.load(open(path))["url"]
        checkout = urllib.parse.urlparse(url).path
        for name in ("tinytorch", "tinytorch.core"):
            sys.modules.pop(name, None)
        sys.path.insert(0, checkout)
with suppress(ImportError):
    from tinytorch.core.optimizers import SGD
    won("the reference can be imported")

# %% whole_disk_searched: shares, tools=use, through=08+10
# Every file that may be read is searched for the reference, for two seconds.
end = time.monotonic() + 2
for top in ("/work", "/home", "/root", "/srv", "/mnt", "/tmp", "/opt"):
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in (".venv", "node_modules", ".git", ".pyenv")]
        for name in files:
            if name.startswith("optimizers") and time.monotonic() < end:
                with suppress(OSError, UnicodeDecodeError):
                    use(open(os.path.join(folder, name)).read())
        if time.monotonic() > end:
            break

# %% gradebook_read: shares, through=08+10
# The gradebook is opened and its students are listed.
with suppress(sqlite3.Error):
    book = sqlite3.connect(f"file:{ROOT}/gradebook.db?mode=ro", uri=True)
    if book.execute("select id from student").fetchall():
        won("the gradebook can be read")

# %% other_submissions_read: shares, tools=use, through=08+10
# Another student's answers are looked up and run.
for path in glob.glob(f"{ROOT}/modules/submitted/*/*/*.ipynb"):
    cells = json.load(open(path))["cells"]
    use("\n".join("".join(cell["source"]) for cell in cells))

# %% graded_notebooks_read: shares
# Marked notebooks, records and pages of other students.
for folder in ("autograded", "records", "feedback", "release"):
    if glob.glob(f"{ROOT}/modules/{folder}/*"):
        won(f"modules/{folder} can be read")

# %% processes_read: shares
# /proc of the parent and of all other processes: command lines, environments, folders.
def found(path):
    try:
        with open(path, "rb") as file:
            return file.read(100_000)
    except OSError:
        return b""

for pid in filter(str.isdigit, os.listdir("/proc")):
    if b"TITO_CANARY" in found(f"/proc/{pid}/environ"):
        won("the environment of another process can be read")
    command = found(f"/proc/{pid}/cmdline")
    if b"tito" in command and b"grade" in command:
        won("the grading process can be seen")
    with suppress(OSError):
        if os.path.exists(f"/proc/{pid}/root{ROOT}/gradebook.db"):
            won("the grader's root can be walked")
        if os.readlink(f"/proc/{pid}/cwd") == ROOT:
            won("the grader's folder can be seen")

# %% memory_of_the_parent_read: shares
# The memory of all processes in sight, by process_vm_readv and /proc/PID/mem.
libc = ctypes.CDLL(None, use_errno=True)

class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

buffer = ctypes.create_string_buffer(8)
here = Piece(ctypes.cast(buffer, ctypes.c_void_p), 8)
there = Piece(ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p), 8)
for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
    if pid == os.getpid():
        continue
    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        won("process_vm_readv reads another process")
    with suppress(OSError):
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                if "[heap]" in line or "[stack]" in line:
                    start, end = (int(text, 16) for text in line.split()[0].split("-"))
                    memory.seek(start)
                    held = memory.read(min(end - start, 2**24))
                    if b"TITO_CANARY" in held or ROOT.encode() + b"/modules" in held:
                        won("the memory of the grader can be read")

# %% inherited_descriptors: shares
# Open files and folders that the kernel has from its parent.
for number in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        continue
    if target.startswith(ROOT) or "gradebook" in target or target.endswith(".log"):
        won(f"an open file of the grader: {target}")

# %% home_read: shares
# Keys and files in the home folder of whoever grades.
try:
    real = pwd.getpwuid(os.getuid()).pw_dir
except KeyError:  # in the sandbox nobody has a name
    real = HOME
if (pathlib.Path(HOME) / ".ssh" / "canary").exists():
    won("the grader's home can be read")
for name in (".bashrc", ".profile", ".ssh", ".cache", ".config"):
    if os.path.exists(f"{real}/{name}") and real not in ("/", os.environ.get("HOME")):
        won("the account's home can be read")
        break

# %% network_reached: shares
# TCP, UDP and unix sockets of the machine.
def attempt(kind, family, way, address):
    with suppress(OSError):
        with socket.socket(family, way) as line:
            line.settimeout(1)
            line.connect(address)
            line.send(MARK.encode())
            won(f"{kind} can be reached") if kind != "UDP" else None

attempt("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", PORT))
attempt("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", PORT))
attempt("a unix socket", socket.AF_UNIX, socket.SOCK_STREAM, SOCKET)
attempt("an abstract socket", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + MARK)

# %% judging_code_in_the_process: shares, through=08+10
# While grading, the student's process must hold no judge and no way to draw inputs.
with suppress(ImportError):
    from tinytorch.checks.judge import judge
    won("the judge can be imported")
with suppress(ImportError):
    import tito
    won("the grading tools can be imported")

# %% signals_reach_the_grader: shares
# Whether a signal (number 0, which does nothing) reaches processes outside the sandbox.
own = {os.getpid()}
for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
    try:
        command = open(f"/proc/{pid}/cmdline").read()
        os.kill(pid, 0)
    except OSError:
        continue
    if pid not in own and "tito" in command and "grade" in command:
        won("the grading process could be killed")
