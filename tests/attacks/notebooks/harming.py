# Harming the machine and the run; every one is bounded, should the defences fail.

# %% fork_bomb: base=gradient, cell=sgd-class, may_lose
# Two hundred processes at once, which end by themselves after a while.
made = []
with suppress(OSError):
    for _ in range(200):
        child = os.fork()
        if child == 0:
            bear_the_mark()
            time.sleep(25)
            os._exit(0)
        made.append(child)
    won("200 processes at once")

# %% memory_bomb_of_many_processes: base=gradient, cell=sgd-class, may_lose
# Twelve processes that hold 256 MB each: a limit per process does not stop them.
ends = []
with suppress(OSError):
    for _ in range(12):
        reader, writer = os.pipe()
        if os.fork() == 0:
            bear_the_mark()
            held = np.ones(2**25)
            os.write(writer, b"x")
            time.sleep(6)
            os._exit(0)
        os.close(writer)
        ends.append(reader)
    if sum(os.read(end, 1) == b"x" for end in ends) == 12:
        time.sleep(1)
        won("3 GB of memory in 12 processes")

# %% disk_filled: base=gradient, cell=sgd-class
# 300 MB in the working folder, in that for temporary files, and in the shared memory.
for folder in (".", tempfile.gettempdir(), "/dev/shm"):
    path = os.path.join(folder, f"{MARK}-fill")
    try:
        with open(path, "wb") as file:
            for _ in range(300):
                file.write(bytes(2**20))
        won(f"300 MB in {folder}")
    except OSError:
        pass
    finally:
        if os.path.exists(path):
            os.unlink(path)

# %% output_flood: base=gradient, cell=sgd-class, may_lose
# Fifty megabytes on the standard streams, by print and past Python.
line = "x" * 999 + "\n"
for _ in range(25):
    sys.stdout.write(line * 1000)
    sys.stderr.flush()
for _ in range(100):
    os.write(1, line.encode() * 100)
    os.write(2, line.encode() * 100)

# %% giant_figures: base=gradient, cell=sgd-class, may_lose, once
# One display of 40 MB, and 20,000 small ones.
display({"text/plain": "x" * 40_000_000}, raw=True)
for number in range(20_000):
    display({"text/plain": "x", "image/png": "A" * 100}, raw=True)

# %% flood_inside_a_part: base=gradient, cell=steplr-class, may_lose, once
# A graded part is flooded with messages while it runs.
class StepLR:
    def __init__(self, *args, **kwargs):
        for _ in range(3000):
            display({"text/html": "y" * 1000}, raw=True)
        raise ValueError("z" * 10_000_000)

# %% processes_that_outlive: base=gradient, cell=sgd-class, drops_in
# Daemons in sessions of their own, deaf to polite signals, and one beyond two forks.
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", deaf, MARK], start_new_session=True,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        bear_the_mark()
        os.closerange(0, 256)
        time.sleep(60)
    os._exit(0)

# %% kernel_ends_in_a_solution: base=gradient, cell=sgd-class, drops_in
# The process ends without a word.
os._exit(0)

# %% kernel_ends_in_a_part: base=gradient, cell=steplr-class, may_lose, once
# The process crashes while a part drives it.
class StepLR:
    def __init__(self, *args, **kwargs):
        ctypes.string_at(0)

# %% interrupts_are_ignored: base=gradient, cell=sgd-class, may_lose, once
# A loop that swallows every exception and has put signals aside.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
signal.signal = lambda *args: None
while True:
    try:
        while True:
            pass
    except BaseException:
        pass

# %% a_part_never_ends: base=gradient, cell=steplr-class, may_lose, once
# A part is held by code that eats the alarm of its time limit.
class StepLR:
    def __init__(self, *args, **kwargs):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

# %% stops_itself: base=gradient, cell=sgd-class, may_lose
# SIGSTOP: the process neither runs nor ends.
os.kill(os.getpid(), signal.SIGSTOP)

# %% recursion_without_end: base=gradient, cell=sgd-class, may_lose, once
# The recursion limit is lifted and the stack runs over.
sys.setrecursionlimit(10**9)

def deeper(value):
    return list(map(deeper, [value]))  # through C, whose stack is small

deeper(0)

# %% threads_and_descriptors: base=gradient, cell=sgd-class, may_lose
# A thousand threads and as many open files as there may be.
with suppress(RuntimeError, MemoryError):
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
held = []
with suppress(OSError):
    for _ in range(20_000):
        held.append(os.open("/dev/null", os.O_RDONLY))
for number in held:
    os.close(number)

# %% connection_is_replaced: base=gradient, cell=sgd-class, may_lose, drops_in
# Another socket stands under the number of the kernel's connection; its folder is deleted.
import shutil

number = sys.modules["tito_shell"].OUTPUTS._connection.fileno()
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), number)
if len(os.getcwd()) > len("/root"):
    shutil.rmtree(os.getcwd(), ignore_errors=True)

# %% terminal_is_written_to: base=gradient, cell=sgd-class
# Escape sequences, and the controlling terminal, into whose input characters could go.
print("\033]0;owned\007\033[2J\033[8m")
for path in ("/dev/tty", "/dev/console"):
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))
        won(f"{path} can be opened")

# %% privileges_are_sought: base=gradient, cell=sgd-class
# setuid, mounts, chroot, new namespaces, priorities and kernel interfaces.
libc = ctypes.CDLL(None, use_errno=True)
if os.getuid() == 0:
    won("the kernel runs as root")
os.mkdir("mounted")
if libc.mount(b"none", b"mounted", b"tmpfs", 0, None) == 0:
    libc.umount2(b"mounted", 2)
    won("mount")
if os.fork() == 0:
    os._exit(0 if libc.unshare(0x10000000) == 0 and libc.unshare(0x00020000) == 0 else 1)
if os.wait()[1] == 0:
    won("namespaces of its own")
with suppress(OSError):
    os.nice(-5)
    won("a better priority")
for path in ("/sys/fs/cgroup/cgroup.procs", "/proc/sysrq-trigger",
             "/proc/sys/kernel/core_pattern"):
    if os.access(path, os.W_OK):
        won(f"{path} can be written")
