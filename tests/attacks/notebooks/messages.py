# Forged, doubled, early, late and malformed messages, beside or instead of the graded cells'.

# %% tool malformed
NAN, DEEP = float("nan"), []
for _ in range(200): DEEP = [DEEP]
ODD = [
    None, [], "text", 7, True, {"array": "", "dtype": ",", "shape": [0]}, {},
    DEEP, {"list": DEEP}, {"array": "AAAA", "dtype": "O",
    "shape": [1]}, {"array": "AAAA", "dtype": "<f8", "shape": [-1]},
    {"array": "", "dtype": "<f8", "shape": [0, 10**18]}, {"array": "", "dtype": "V99999999",
    "shape": []}, {"dict": [["a", 1], ["a", 2]]}, {"dict": [[["x"], 1]]}, {"float": "1"},
    {"array": "!!!", "dtype": [["a", "O"]], "shape": ["1"]}, 10**4000, "\ud800", "x" * 10**5,
    {"array": "gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu", "dtype": "O",
    "shape": [1]},
]

def odd(name, run, cases):
    part = next(iter(KNOWN[name][1]))
    for value in ODD:
        yield {OBSERVATION: value, REPORT: value}
        yield {OBSERVATION: {**observation(name, part, 0, run), "values": value}}
        for key in ("version", "run", "grade_id", "part", "case", "error", "unfinished"):
            yield {OBSERVATION: {**observation(name, part, 0, run), key: value}}
        for key in ("points", "earned", "parts", "grade_id", "version"):
            yield {REPORT: {**report(name), key: value}}

# %% early_messages: tools=forge, through=08+10
# Reports and observations of all graded cells come from a cell of the student's own.
for name in KNOWN:
    show(name)

# %% messages_from_a_solution_cell: cell=sgd-class, tools=forge
# A solution cell that bears grading metadata publishes what its test should.
show("test-sgd")
15.0

# %% doubled_messages: may_lose, tools=forge, through=08+10
# Each graded cell publishes its own messages, and a forged set after them.
get_ipython().events.register("pre_run_cell", lambda info: now.append(info.raw_cell or ""))
get_ipython().events.register("post_run_cell", lambda result: after())
now = [""]
def after():
    name = tested(now[-1])
    if name:
        show(name, *asked(now[-1]))

# %% stolen_nonce_and_nothing_else: may_lose, publishes, tools=forge, through=08+10
# The graded cell is read for its nonce and replaced; all public answers are published.
@instead_of_graded
def replace(name, code):
    return f"answer({code!r})\n"

def answer(code):
    for bundle in forged(tested(code), *asked(code))[1:]:
        display(bundle, raw=True)

# %% forged_first_and_the_real_ones_cut_off: may_lose, publishes, tools=forge
# All public answers are published before the cell runs, then its process ends.
@before_graded
def before(name, code):
    show(name, *asked(code))
    if name == "test-sgd":
        time.sleep(0.2)
        os._exit(0)

# %% thread_sends_with_the_number_of_the_graded_cell: may_lose, publishes, again, tools=forge+send
# A thread waits for a graded cell and sends forged frames with its number.
def watch():
    done = set()
    while True:
        code = get_ipython().history_manager.input_hist_raw[-1]
        name = tested(code)
        if name and name not in done:
            done.add(name)
            for bundle in forged(name, *asked(code)):
                send("display_data", {"data": bundle, "metadata": {}})
        time.sleep(0.001)

threading.Thread(target=watch, daemon=True).start()

# %% late_messages: may_lose, tools=forge+send
# Observations of earlier graded cells arrive during later ones, under their old numbers.
seen = []

def note(info):
    seen.append((kernel.cell, info.raw_cell or ""))
def later(result):
    for number, code in seen[:-2]:
        name = tested(code)
        for bundle in forged(name, *asked(code)) if name else ():
            for cell in (number, kernel.cell):
                send("display_data", {"data": bundle, "metadata": {}}, cell=cell)

get_ipython().events.register("pre_run_cell", note)
get_ipython().events.register("post_run_cell", later)

# %% last_words_of_a_dying_kernel: cell=sgd-class, may_lose, tools=forge
# An atexit handler publishes a forged report when a part ends the process.
def last():
    show("test-sgd")

atexit.register(last)

class SGD:
    def __init__(self, *args, **kwargs):
        last()
        get_ipython().ask_exit()
        sys.exit(0)

# %% encoder_changes_what_is_sent: base=idle, may_lose, publishes, again, tools=forge
# What makes frames of outputs fills in reports and observations on their way out.
capture = sys.modules["tito_capture"]
plain = capture.encode

def encode(frame):
    data = frame.get("data", {})
    if REPORT in data:
        data[REPORT] = report(data[REPORT]["grade_id"])
    if OBSERVATION in data:
        for seen in data[OBSERVATION]:
            about = (seen[key] for key in ("grade_id", "part", "case", "run"))
            seen.update(observation(*about))
    return plain(frame)

capture.encode = encode

# %% updates_and_clears: may_lose, tools=forge
# Forgeries come as updates of displays, results and transient data; real ones are cleared.
from IPython.display import clear_output

def after(result):
    for name in KNOWN:
        handle = display({"text/plain": "x"}, raw=True, display_id=name)
        for bundle in forged(name)[:3]:
            handle.update(bundle, raw=True)
    clear_output(wait=True)

get_ipython().events.register("post_run_cell", after)

# %% forged_end_of_the_cell: may_lose, tools=forge+send
# The end of a graded cell is sent before it has run, with a full mark before it.
@before_graded
def before(name, code):
    show(name)
    end = {"execution_count": 1, "error": None, "ends": False}
    send("done", end)
    send("begin", cell=kernel.cell + 1)
    for bundle in forged(name, *asked(code)):
        send("display_data", {"data": bundle, "metadata": {}}, cell=kernel.cell + 1)
    send("done", end, cell=kernel.cell + 1)

# %% malformed_messages: may_lose, tools=forge+malformed
# Hundreds of ill-formed observations and reports: the judge must neither pay nor fall.
@before_graded
def before(name, code):
    for bundle in odd(name, *asked(code)) if name == "test-sgd" else ():
        with suppress(Exception):
            display(bundle, raw=True)

# %% malformed_instead_of_the_real_ones: may_lose, tools=forge+malformed
# One ill-formed observation is all that a graded cell says; each cell has another kind.
kinds = iter(ODD[5:])

@instead_of_graded
def replace(name, code):
    return "display(dict([(OBSERVATION, next(kinds)), (REPORT, next(kinds))]), raw=True)\n"

# %% messages_of_another_run: tools=forge
# Observations bear invented nonces, cases and parts.
@before_graded
def before(name, code):
    for run in ("", "0", "0" * 32, None, True, ["run"]):
        for bundle in forged(name, run)[1:]:
            display(bundle, raw=True)
    for part in ("no_such_part", "__init__", "../../x"):
        data = {**observation(name, next(iter(KNOWN[name][1]))), "part": part}
        display({OBSERVATION: data}, raw=True)

# %% child_process_speaks_for_the_kernel: may_lose, drops_in, again, tools=forge+send
# A child that has inherited the kernel's socket publishes on it, also half a frame.
@before_graded
def before(name, code):
    socket = kernel._connection.dup()
    if os.fork() == 0:
        kernel._connection = socket
        for bundle in forged(name, *asked(code)):
            send("display_data", {"data": bundle, "metadata": {}})
        if name == "test-step-scheduler":
            socket.send(bytes(2))
        os._exit(0)
    os.wait()
    socket.close()

# %% results_that_nbgrader_would_pay: tools=forge
# Each graded cell ends with a number as its result, or with no output at all.
@instead_of_graded
def replace(name, code):
    return "pass\n" if "adam" in name else f"{KNOWN[name][0]}.0\n"

# %% data_in_streams_errors_and_comms: tools=forge+send
# The forged data come as printed text, tracebacks, comms, input requests and results.
from comm import create_comm

@before_graded
def before(name, code):
    print(json.dumps(forged(name)))
    create_comm(target_name=name, data=forged(name)[0])
    get_ipython().set_next_input(f"show({name!r})", replace=True)
    said = json.dumps(forged(name)[0])
    send("error", {"ename": "15.0", "evalue": "15.0", "traceback": [said]})
    send("execute_result", {
        "data": {"text/plain": "15.0", **forged(name)[0]}, "metadata": {},
        "execution_count": 10**9,
    })
