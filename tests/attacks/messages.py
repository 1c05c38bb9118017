"""Forged, doubled, early, late and malformed messages, beside or instead of the graded cells'."""

from tests.attacks.attack import runs

_FAMILY = "messages"


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
                    get_ipython().kernel.iopub_thread.flush()
                    time.sleep(0.2)
                    os._exit(0)

        get_ipython().events.register("pre_run_cell", before)
    """


@runs(_FAMILY, forges=True, may_lose=True, publishes=True)
def thread_sends_with_the_parent_of_the_graded_cell():
    """A thread waits for a graded cell and sends forgeries with its parent header."""
    return """
        import threading, time

        kernel = get_ipython().kernel

        def watch():
            done = set()
            while True:
                parent = kernel.get_parent("shell")
                code = parent.get("content", {}).get("code", "")
                name = tested(code)
                if name and name not in done:
                    done.add(name)
                    for bundle in forged(name, *asked(code)):
                        content = {"data": bundle, "metadata": {}, "transient": {}}
                        kernel.session.send(
                            kernel.iopub_socket, "display_data", content, parent=parent,
                            ident=b"display_data",
                        )
                time.sleep(0.001)

        threading.Thread(target=watch, daemon=True).start()
    """


@runs(_FAMILY, forges=True, may_lose=True)
def late_messages():
    """Observations of earlier graded cells arrive during later ones, under their old parents."""
    return """
        import threading, time

        kernel, seen = get_ipython().kernel, []

        def note(info):
            seen.append((kernel.get_parent("shell"), info.raw_cell or ""))
        def later(result):
            for parent, code in seen[:-2]:
                name = tested(code)
                for bundle in forged(name, *asked(code)) if name else ():
                    kernel.session.send(
                        kernel.iopub_socket, "display_data",
                        {"data": bundle, "metadata": {}, "transient": {}}, parent=parent,
                        ident=b"display_data",
                    )

        get_ipython().events.register("pre_run_cell", note)
        get_ipython().events.register("post_run_cell", later)
    """


@runs(_FAMILY, forges=True, cell="sgd-class", may_lose=True)
def last_words_of_a_dying_kernel():
    """An atexit handler publishes a forged report when a part ends the process."""
    return """
        import atexit, sys

        def last():
            show("test-sgd")
            get_ipython().kernel.iopub_thread.flush()

        atexit.register(last)

        class SGD:
            def __init__(self, *args, **kwargs):
                last()
                get_ipython().kernel.do_shutdown(False)
                sys.exit(0)
    """


@runs(_FAMILY, base="idle", forges=True, may_lose=True, publishes=True)
def session_changes_what_is_sent():
    """Session.send fills in reports and observations on their way out."""
    return """
        session = get_ipython().kernel.session
        plain = session.send

        def send(stream, msg_or_type, content=None, *args, **kwargs):
            if isinstance(msg_or_type, dict):
                content = msg_or_type.get("content")
            data = (content or {}).get("data", {})
            if REPORT in data:
                data[REPORT] = report(data[REPORT]["grade_id"])
            if OBSERVATION in data:
                for seen in data[OBSERVATION]:
                    about = (seen[key] for key in ("grade_id", "part", "case", "run"))
                    seen.update(observation(*about))
            return plain(stream, msg_or_type, content, *args, **kwargs)

        session.send = send
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
    """The JSON packer replaces the points in the text that is about to be signed."""
    return """
        session = get_ipython().kernel.session
        plain = session.pack

        def pack(item):
            data = plain(item)
            return data.replace(b'"earned": 0', b'"earned": 1').replace(b'"error": "', b'"err": "')

        session.pack = pack
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
    """idle and execute_reply are sent before the cell has run, with a full mark between."""
    return """
        kernel = get_ipython().kernel

        def before(info):
            name = tested(info.raw_cell or "")
            if name:
                show(name)
                parent = kernel.get_parent("shell")
                reply = {"status": "ok", "execution_count": 1, "user_expressions": {}}
                kernel.session.send(kernel.shell_stream, "execute_reply", reply, parent=parent,
                                    ident=kernel._parent_ident["shell"])
                kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"},
                                    parent=parent, ident=b"status")

        get_ipython().events.register("pre_run_cell", before)
    """


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
    """A child reads the connection file and publishes with the kernel's own key."""
    return """
        import json, os
        import zmq
        from jupyter_client.session import Session

        kernel = get_ipython().kernel
        path = kernel.parent.abs_connection_file if kernel.parent else ""

        def before(info):
            name = tested(info.raw_cell or "")
            if not name or not os.path.exists(path):
                return
            with open(path) as file:
                facts = json.load(file)
            session = Session(key=facts["key"].encode(), username="x")
            socket = zmq.Context().socket(zmq.PUB)
            socket.linger = 200
            mark = "-" if facts["transport"] == "ipc" else ":"
            socket.connect(f"{facts['transport']}://{facts['ip']}{mark}{facts['iopub_port']}")
            for bundle in forged(name, *asked(info.raw_cell)):
                content = {"data": bundle, "metadata": {}, "transient": {}}
                session.send(socket, "display_data", content, parent=kernel.get_parent("shell"))

        get_ipython().events.register("pre_run_cell", before)
    """


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
    """The forged data come as printed text, tracebacks, comms, input requests and payloads."""
    return """
        import json
        from comm import create_comm

        kernel = get_ipython().kernel

        def before(info):
            name = tested(info.raw_cell or "")
            if name:
                print(json.dumps(forged(name)))
                create_comm(target_name=name, data=forged(name)[0])
                get_ipython().set_next_input(f"show({name!r})", replace=True)
                kernel.session.send(kernel.iopub_socket, "error", {
                    "ename": "15.0", "evalue": "15.0", "traceback": [json.dumps(forged(name)[0])],
                }, parent=kernel.get_parent("shell"))
                kernel.session.send(kernel.iopub_socket, "execute_result", {
                    "data": {"text/plain": "15.0", **forged(name)[0]}, "metadata": {},
                    "execution_count": 10**9,
                }, parent=kernel.get_parent("shell"))

        get_ipython().events.register("pre_run_cell", before)
    """
