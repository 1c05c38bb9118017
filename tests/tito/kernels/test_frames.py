"""Frames of a kernel that are none, by kind: each costs what it was to show, and nothing else."""

import itertools
import json
from contextlib import closing

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.odd_frames import SEND
from tinytorch.checks.publish import OBSERVATION_TYPE
from tito.kernels.capture import MAX_FRAME
from tito.kernels.frames import OUTPUT_FIELDS, FrameReader, output_in, read
from tito.kernels.recorder import Recorder

from .conftest import limits, make, run, text

ERROR = {"ename": "E", "evalue": "v", "traceback": []}
DATA = {"data": {"text/plain": "x"}, "metadata": {}}
END = {"execution_count": 1, "error": None, "ends": False}

KINDS = {
    "begin": {},
    "clear_output": {"wait": True},
    "display_data": {**DATA, "display_id": "d"},
    "done": {**END, "error": ["E", "v"]},
    "error": ERROR,
    "execute_result": {**DATA, "execution_count": 1, "display_id": "d"},
    "failed": {"reason": "x"},
    "ready": {},
    "stream": {"name": "stdout", "text": "x"},
    "update_display_data": {**DATA, "display_id": "d"},
}
ODD = [None, True, 7, -1, 0.5, "", "x", [], [7], [[]], ["x"], ["x", "y"], {}, {"a": 1}, {"a": {}}]


def misshapen(kind):
    """Each field of a kind of frame left out, and of other types."""
    whole = {"kind": kind, "cell": 1, **KINDS[kind]}
    for key in whole:
        yield {name: value for name, value in whole.items() if name != key}
        for value in ODD:
            yield {**whole, key: value}


def refused(kind):
    """What the grader does not take of these, and the kernel would send as it is."""
    frames = (frame for frame in misshapen(kind) if frame.keys() >= {"kind", "cell"})
    return [frame for frame in frames if read(json.dumps(frame).encode()) is None]


#: What a cell sends with, beside what all do.
SHOW = """
def show(data, metadata={}, **more):
    send("display_data", {"data": data, "metadata": metadata, **more})
"""
#: What a cell sends, in Python, beside fields that are left out or of another type.
MALFORMED = {
    "a stream of half characters": r"send('stream', {'name': 'stdout', 'text': '\ud800'})",
    "an error of half characters": rf"send('error', {{**{ERROR}, 'evalue': '\ud800'}})",
    "a display of a number": "show({'text/plain': 7})",
    "an update of what is unknown": f"send('update_display_data', {{**{DATA}, 'display_id': 'd'}})",
    "a display of another name's mapping": "show({'x-json': {}})",
    "a display of half characters": r"show({'\ud800': '\ud800'})",
    "JSON 900 deep": "show({'application/json': deep(900)})",
    "metadata 900 deep": "show({'text/plain': 'x'}, {'a': deep(900)})",
    "a number without a value": "show({'text/plain': 'x'}, {'a': float('nan')})",
    "a kind that is unknown": "send('no_such_kind', {'a': 'b'})",
    "a kind of half characters": r"send('\ud800')",
    "the end of another cell": f"send('done', {END}, cell=10**6)",
    "another beginning": "send('begin')",
    "a kernel that is ready": "send('ready')",
    "a kernel that has failed": "send('failed', {'reason': 'x'})",
    "observations without a shape": f"show({{{OBSERVATION_TYPE!r}: [7, [], {{'part': []}}]}})",
    "an observation that is text": f"show({{{OBSERVATION_TYPE!r}: 'x'}})",
    "no JSON": "send_bytes(b'no JSON')",
    "no text": "send_bytes(b'\\xff\\xfe\\xfd')",
    "no bytes": "send_bytes(b'')",
    "a number alone": "send_bytes(b'1' * 5000)",
    "a list": "send_bytes(b'[]')",
    "brackets without an end": "send_bytes(b'[' * 100_000)",
    "values without an end": "send_bytes(b'[' + b'[],' * 3_000_000 + b'[]]')",
    "a frame that is too large": f"send_bytes(b'x' * {MAX_FRAME + 1})",
}


def test_a_malformed_frame_costs_no_other_output_and_no_other_cell():
    sent = MALFORMED | {kind: f"for frame in {refused(kind)}: send(**frame)" for kind in KINDS}
    cells = [f"{source}\nprint('own', flush=True)" for source in sent.values()]
    _, *ran, last = run("forked", SEND + SHOW, *cells, "print('last')")
    for one in ran:
        json.dumps(one.outputs, ensure_ascii=False, allow_nan=False).encode()
    pairs = zip(sent, ran, strict=True)
    assert [kind for kind, one in pairs if not text(one).endswith("own\n")] == []
    assert text(last) == "last\n"


def test_a_frame_of_a_length_that_never_comes_costs_its_cell_only():
    with closing(make("forked", grace=0.5)) as kernel:
        kernel.run(SEND, limits())
        lost = kernel.run("send_bytes(b'x', 2**32 - 1)\nprint('swallowed')", limits(wall=1))
        assert (lost.ename, lost.outputs) == ("KernelHung", [])
        kernel.restart()
        assert text(kernel.run("print('on')", limits())) == "on\n"


def test_a_forged_end_ends_nothing_but_its_cell():
    forged = f"send('done', {END})\nimport time; time.sleep(0.3); print('late')"
    ran = run("forked", SEND, forged, "print('next')")
    assert [text(one) for one in ran] == ["", "", "next\n"]


def test_of_far_too_many_frames_only_small_ones_are_read():
    def frame(length: int) -> bytes:
        said = {"kind": "stream", "cell": 1, "name": "stdout", "text": "x" * length}
        return json.dumps(said).encode()

    reader, large = FrameReader(), frame(1_000_000)
    read_ones = [reader.read(large) is not None for _ in range(300)]
    assert read_ones == [True] * 255 + [False] * 45
    assert len(reader.read(frame(100_000))["text"]) == 100_000


def test_whatever_is_read_can_be_recorded():
    for frame in itertools.chain.from_iterable(map(misshapen, KINDS)):
        recorder = Recorder(lambda output: output)
        recorder.take(read(json.dumps({"kind": "display_data", "cell": 1, **DATA}).encode()))
        checked = read(json.dumps(frame).encode())
        if checked is None or "cell" not in checked or checked["kind"] == "begin":
            continue
        if checked["kind"] == "done":
            recorder.end(checked)
        else:
            recorder.take(checked)
        nb = new_notebook(cells=[new_code_cell("", outputs=recorder.outputs, id="a")])
        nbformat.validate(nb)


def test_outputs_of_a_file_are_held_to_the_same_rules():
    for kind, fields in OUTPUT_FIELDS.items():
        whole = {"output_type": kind, **KINDS[kind]}
        assert output_in({**whole, "more": 1}) == {"output_type": kind} | {
            name: whole[name] for name in fields
        }
        for name in fields:
            assert output_in({**whole, name: {"execution_count": "x"}.get(name, 7)}) is None
    lines = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}
    assert output_in(lines).text == "a\nb"
    for odd in (None, [], "x", {}, {"output_type": []}, {"output_type": "ready"}):
        assert output_in(odd) is None
