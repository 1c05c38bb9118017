# Messages of no known shape, as no library would send them, and far too many well-formed ones.

# %% tool shapes
ERROR = {"ename": "E", "evalue": "v", "traceback": []}
SHOWN = {"data": {"text/plain": "x"}, "metadata": {}}
ODD = [None, 7, "x", [], [7], {}, {"a": 1}, "\ud800", deep(900), float("nan"), 10**4000]
KINDS = {
    "stream": {"name": "stdout", "text": "x"},
    "error": ERROR,
    "display_data": SHOWN,
    "update_display_data": {**SHOWN, "display_id": "d"},
    "execute_result": {**SHOWN, "execution_count": 1},
    "clear_output": {"wait": True},
    "begin": {"cell": 10**6},
    "ready": {"cell": 10**6},
    "failed": {"reason": "x", "cell": 10**6},
}

def all_odd_messages():
    for kind, content in KINDS.items():
        yield kind, {}
        for key in content:
            yield kind, {name: value for name, value in content.items() if name != key}
            for value in ODD:
                yield kind, {**content, key: value}
        yield kind + "\ud800", content

# %% every_kind_of_message_is_malformed: base=gradient, drops_in, tools=forge+send+shapes
# Each field of each kind is left out, and is of ten other types, in a cell of one's own.
for kind, content in all_odd_messages():
    if kind != "clear_output":
        send(kind, content)

# %% malformed_messages_beside_observations: base=gradient, may_lose, again, tools=forge+send+shapes
# The same messages, and malformed ends, come while a graded cell is asked.
@before_graded
def before(name, code):
    if name == "test-adam":
        for kind, content in all_odd_messages():
            send(kind, content)
        for content in ({}, {"error": None}, {"error": [7, 7], "ends": 7}, {"ends": True}):
            send("done", content)
        send_bytes(b"[" * 100_000)
        send_bytes(b"\xff" * 13_000_000)
