# Ending or reaching the sandbox from inside, and memory of the system's that no process has.

# %% first_process_is_reached: base=gradient, cell=sgd-class, drops_in
# What belongs to process 1 is opened, to write to it; it gets each signal, and children.
for name in ("mem", "fd/0", "fd/1", "environ", "maps", "cwd", "root", "oom_score_adj"):
    for mode in (os.O_RDWR, os.O_WRONLY):
        try:
            opened = os.open(f"/proc/1/{name}", mode | os.O_NONBLOCK)
        except OSError:
            continue
        won(f"{name} of the first process is open")
        if name == "fd/0":
            os.write(opened, b"\n")
for number in signal.Signals:
    os.kill(1, number)
if os.fork() == 0:
    if os.fork() == 0:
        os.kill(1, signal.SIGKILL)
    os._exit(0)
os.wait()
time.sleep(0.2)

# %% first_process_is_limited: base=gradient, cell=sgd-class
# Process 1 gets no processor time, no files and the last place of all.
for what in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
    with suppress(OSError, ValueError):
        resource.prlimit(1, what, (0, 0))
for _ in range(20):
    if os.fork() == 0:
        if os.fork():
            os._exit(0)
        os._exit(0)
    os.wait()
with suppress(OSError):
    os.sched_setaffinity(1, {0})
    os.setpriority(os.PRIO_PROCESS, 1, 19)

# %% file_locks_without_number: base=gradient, cell=sgd-class, may_lose, drops_in
# Every second byte of a file is locked, by processes and as nobody's.
own = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0)
with open(f"{MARK}-locked", "wb") as file:
    with suppress(OSError):
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, own)
        won("a lock that is nobody's")
    for start in range(100_000):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * start)
    time.sleep(0.5)
    won("100,000 locks")

# %% files_are_watched: base=gradient, cell=sgd-class
# The system is asked to watch files, which takes memory of no process.
libc = ctypes.CDLL(None, use_errno=True)
watcher = libc.inotify_init()
if watcher >= 0 and libc.inotify_add_watch(watcher, b"/tmp", 0x100) >= 0:
    won("a watched folder")
