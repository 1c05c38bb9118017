"""Forged, doubled, early, late and malformed messages, beside or instead of the graded cells'."""

import textwrap

from tests.attacks.attack import runs
from tests.odd_frames import SEND

_FAMILY = "messages"
_SEND = textwrap.indent(SEND, "    ")


@runs(_FAMILY, forges=True)
def early_messages():
    """Reports and observations of all graded cells come from a cell of the student's own."""
    return """
        for name in KNOWN:
            show(name)
    """


@runs(_FAMILY, forges=True, cell="sgd-class")
def messages_from_a_solution_cell():
    """A solution cell that bears grading metadata publishes what its test should."""
    return """
        show("test-sgd")
        15.0
    """


@runs(_FAMILY, forges=True, may_lose=True)
def doubled_messages():
    """Each graded cell publishes its own messages, and a forged set after them."""
    return """
        get_ipython().events.register("pre_run_cell", lambda info: now.append(info.raw_cell or ""))
        get_ipython().events.register("post_run_cell", lambda result: after())
        now = [""]
        def after():
            name = tested(now[-1])
            if name:
                show(name, *asked(now[-1]))
    """


@runs(_FAMILY, forges=True, may_lose=True, publishes=True)
def stolen_nonce_and_nothing_else():
    """The graded cell is read for its nonce and replaced; all public answers are published."""
    return """
        def replace(lines):
            code = "".join(lines)
            return [f"answer({code!r})\\n"] if tested(code) else lines

        def answer(code):
            from IPython.display import display
            for bundle in forged(tested(code), *asked(code))[1:]:
                display(bundle, raw=True)

        get_ipython().input_transformers_cleanup.append(replace)
    """


@runs(_FAMILY, forges=True, may_lose=True, publishes=True)
def forged_first_and_the_real_ones_cut_off():
    """All public answers are published before the cell runs, then its process ends."""
    return """
        import os, time

        def before(info):
            name = tested(info.raw_cell or "")
            if name:
                show(name, *asked(info.raw_cell))
                if name == "test-sgd":
                    time.sleep(0.2)
                    os._exit(0)

        get_ipython().events.register("pre_run_cell", before)
    """


@runs(_FAMILY, forges=True, may_lose=True, publishes=True)
def thread_sends_with_the_number_of_the_graded_cell():
    """A thread waits for a graded cell and sends forged frames with its number."""
    return (
        _SEND
        + """
    import threading, time

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
    """
    )


@runs(_FAMILY, forges=True, may_lose=True)
def late_messages():
    """Observations of earlier graded cells arrive during later ones, under their old numbers."""
    return (
        _SEND
        + """
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
    """
    )


@runs(_FAMILY, forges=True, cell="sgd-class", may_lose=True)
def last_words_of_a_dying_kernel():
    """An atexit handler publishes a forged report when a part ends the process."""
    return """
        import atexit, sys

        def last():
            show("test-sgd")

        atexit.register(last)

        class SGD:
            def __init__(self, *args, **kwargs):
                last()
                get_ipython().ask_exit()
                sys.exit(0)
    """


@runs(_FAMILY, base="idle", forges=True, may_lose=True, publishes=True)
def encoder_changes_what_is_sent():
    """What makes frames of outputs fills in reports and observations on their way out."""
    return """
        import sys

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
    """


@runs(_FAMILY, base="idle", forges=True, may_lose=True, publishes=True)
def display_publisher_changes_what_is_shown():
    """The shell's display publisher is replaced by one with better news."""
    return """
        shell = get_ipython()
        plain = shell.display_pub.publish

        def publish(data, *args, **kwargs):
            if REPORT in data:
                data[REPORT] = report(data[REPORT]["grade_id"])
            if OBSERVATION in data:
                for seen in data[OBSERVATION]:
                    about = (seen[key] for key in ("grade_id", "part", "case", "run"))
                    seen.update(observation(*about))
            return plain(data, *args, **kwargs)

        shell.display_pub.publish = publish
    """


@runs(_FAMILY, base="idle", forges=True, may_lose=True)
def packer_changes_the_bytes():
    """The JSON encoder replaces the points in the text that is about to be sent."""
    return """
        import json

        plain = json.dumps

        def dumps(item, **more):
            text = plain(item, **more)
            return text.replace('"earned": 0', '"earned": 1').replace('"error": "', '"err": "')

        json.dumps = dumps
    """


@runs(_FAMILY, forges=True, may_lose=True)
def updates_and_clears():
    """Forgeries come as updates of displays, results and transient data; real ones are cleared."""
    return """
        from IPython.display import clear_output, display

        def after(result):
            for name in KNOWN:
                handle = display({"text/plain": "x"}, raw=True, display_id=name)
                for bundle in forged(name)[:3]:
                    handle.update(bundle, raw=True)
            clear_output(wait=True)

        get_ipython().events.register("post_run_cell", after)
    """


@runs(_FAMILY, forges=True, may_lose=True)
def forged_end_of_the_cell():
    """The end of a graded cell is sent before it has run, with a full mark before it."""
    return (
        _SEND
        + """
    def before(info):
        name = tested(info.raw_cell or "")
        if name:
            show(name)
            end = {"execution_count": 1, "error": None, "ends": False}
            send("done", end)
            send("begin", cell=kernel.cell + 1)
            for bundle in forged(name, *asked(info.raw_cell)):
                send("display_data", {"data": bundle, "metadata": {}}, cell=kernel.cell + 1)
            send("done", end, cell=kernel.cell + 1)

    get_ipython().events.register("pre_run_cell", before)
    """
    )


_MALFORMED = """
    from IPython.display import display

    NAN, DEEP = float("nan"), []
    for _ in range(200): DEEP = [DEEP]
    ODD = [
        None, [], "text", 7, True, {"array": "", "dtype": ",", "shape": [0]}, {},
        DEEP, {"list": DEEP}, {"array": "AAAA", "dtype": "O",
        "shape": [1]}, {"array": "AAAA", "dtype": "<f8", "shape": [-1]},
        {"array": "", "dtype": "<f8", "shape": [0, 10**18]}, {"array": "", "dtype": "V99999999",
        "shape": []}, {"dict": [["a", 1], ["a", 2]]}, {"dict": [[["x"], 1]]}, {"float": "1"},
        {"array": "!!!", "dtype": [["a", "O"]], "shape": ["1"]}, 10**4000, "\\ud800", "x" * 10**5,
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
"""


@runs(_FAMILY, forges=True, may_lose=True)
def malformed_messages():
    """Hundreds of ill-formed observations and reports: the judge must neither pay nor fall."""
    return (
        _MALFORMED
        + """
    def before(info):
        name = tested(info.raw_cell or "")
        for bundle in odd(name, *asked(info.raw_cell)) if name == "test-sgd" else ():
            try:
                display(bundle, raw=True)
            except Exception:
                pass

    get_ipython().events.register("pre_run_cell", before)
    """
    )


@runs(_FAMILY, forges=True, may_lose=True)
def malformed_instead_of_the_real_ones():
    """One ill-formed observation is all that a graded cell says; each cell has another kind."""
    return (
        _MALFORMED
        + """
    kinds = iter(ODD[5:])

    def replace(lines):
        name = tested("".join(lines))
        if not name:
            return lines
        return [f"display(dict([(OBSERVATION, next(kinds)), (REPORT, next(kinds))]), raw=True)\\n"]

    get_ipython().input_transformers_cleanup.append(replace)
    """
    )


@runs(_FAMILY, forges=True)
def messages_of_another_run():
    """Observations bear invented nonces, cases and parts."""
    return """
        from IPython.display import display

        def before(info):
            name = tested(info.raw_cell or "")
            if name:
                for run in ("", "0", "0" * 32, None, True, ["run"]):
                    for bundle in forged(name, run)[1:]:
                        display(bundle, raw=True)
                for part in ("no_such_part", "__init__", "../../x"):
                    data = {**observation(name, next(iter(KNOWN[name][1]))), "part": part}
                    display({OBSERVATION: data}, raw=True)

        get_ipython().events.register("pre_run_cell", before)
    """


@runs(_FAMILY, forges=True, may_lose=True)
def child_process_speaks_for_the_kernel():
    """A child that has inherited the kernel's socket publishes on it, also half a frame."""
    return (
        _SEND
        + """
    import os

    def before(info):
        name = tested(info.raw_cell or "")
        if not name:
            return
        socket = kernel._connection.dup()
        if os.fork() == 0:
            kernel._connection = socket
            for bundle in forged(name, *asked(info.raw_cell)):
                send("display_data", {"data": bundle, "metadata": {}})
            if name == "test-step-scheduler":
                socket.send(bytes(2))
            os._exit(0)
        os.wait()
        socket.close()

    get_ipython().events.register("pre_run_cell", before)
    """
    )


@runs(_FAMILY, forges=True)
def results_that_nbgrader_would_pay():
    """Each graded cell ends with a number as its result, or with no output at all."""
    return """
        def replace(lines):
            name = tested("".join(lines))
            return [f"{KNOWN[name][0]}.0\\n"] if name and "adam" not in name else (
                ["pass\\n"] if name else lines)

        get_ipython().input_transformers_cleanup.append(replace)
    """


@runs(_FAMILY, forges=True)
def data_in_streams_errors_and_comms():
    """The forged data come as printed text, tracebacks, comms, input requests and results."""
    return (
        _SEND
        + """
    from comm import create_comm

    def before(info):
        name = tested(info.raw_cell or "")
        if name:
            print(json.dumps(forged(name)))
            create_comm(target_name=name, data=forged(name)[0])
            get_ipython().set_next_input(f"show({name!r})", replace=True)
            said = json.dumps(forged(name)[0])
            send("error", {"ename": "15.0", "evalue": "15.0", "traceback": [said]})
            send("execute_result", {
                "data": {"text/plain": "15.0", **forged(name)[0]}, "metadata": {},
                "execution_count": 10**9,
            })

    get_ipython().events.register("pre_run_cell", before)
    """
    )
