"""Messages of a kernel that are none, by kind: each costs what it was to show, and nothing else."""

import json

import pytest

from tests.odd_messages import SEND
from tinytorch.checks.observe import OBSERVATION_TYPE
from tito.kernels.messages import Reader

from ..grading.test_execute import run as run_with_sockets
from ..grading.test_execute import text
from .test_kernels import run as run_with_packets

ERROR = {"ename": "E", "evalue": "v", "traceback": []}
DATA = {"data": {"text/plain": "x"}, "metadata": {}}

KINDS = {
    "a stream without text": "'stream', {'name': 'stdout'}",
    "a stream of a number": "'stream', {'name': 'stdout', 'text': 7}",
    "a stream of another name": "'stream', {'name': ['x'], 'text': 'x'}",
    "a stream of half characters": r"'stream', {'name': 'stdout', 'text': '\ud800'}",
    "an error whose traceback is a number": f"'error', {{**{ERROR}, 'traceback': 7}}",
    "an error whose traceback holds numbers": f"'error', {{**{ERROR}, 'traceback': [7]}}",
    "an error without a name": "'error', {'evalue': 'v', 'traceback': []}",
    "an error of half characters": rf"'error', {{**{ERROR}, 'evalue': '\ud800'}}",
    "an empty status": "'status', {}",
    "a status that is a list": "'status', {'execution_state': ['idle']}",
    "a display without data": "'display_data', {'metadata': {}}",
    "a display of a list": "'display_data', {'data': [1], 'metadata': {}}",
    "a display of a number": "'display_data', {'data': {'text/plain': 7}, 'metadata': {}}",
    "a display in a list": f"'display_data', {{**{DATA}, 'transient': {{'display_id': [1]}}}}",
    "transient data that are text": f"'display_data', {{**{DATA}, 'transient': 'x'}}",
    "metadata that are text": f"'display_data', {{**{DATA}, 'metadata': 'x'}}",
    "an update of nothing": "'update_display_data', {'transient': {'display_id': 'd'}}",
    "a result of which number": f"'execute_result', {{**{DATA}, 'execution_count': 'x'}}",
    "a result without a number": f"'execute_result', {DATA}",
    "a display of another name's mapping": (
        "'display_data', {'data': {'x-json': {}}, 'metadata': {}}"
    ),
    "a result of half characters": (
        r"'display_data', {'data': {'\ud800': '\ud800'}, 'metadata': {}}"
    ),
    "a run of which number": "'execute_input', {'code': '', 'execution_count': {}}",
    "JSON 900 deep": "'display_data', {'data': {'application/json': deep(900)}, 'metadata': {}}",
    "metadata 900 deep": f"'display_data', {{**{DATA}, 'metadata': {{'a': deep(900)}}}}",
    "a number without a value": f"'display_data', {{**{DATA}, 'metadata': {{'a': float('nan')}}}}",
    "a kind that is unknown": "'no_such_kind', {'a': 'b'}",
    "a kind of half characters": r"'\ud800', {}",
    "a kind that is a number": "'stream', {}, msg_type=7, header={'msg_type': 7, 'msg_id': 'x'}",
    "a header that is a list": "'stream', {}, header=[1, 2]",
    "a parent that is a list": "'stream', {}, parent_header=[1, 2]",
    "a comm to nobody": "'comm_open', {}",
    "a clear that waits for text": "'clear_output', {'wait': {'a': 1}}",
    "a reply without a status": "'execute_reply', {}, 'shell_stream'",
    "a reply of an error without its text": "'execute_reply', {'status': 'error'}, 'shell_stream'",
    "a reply with numbers for lines": (
        f"'execute_reply', {{'status': 'error', **{ERROR}, 'traceback': [7]}}, 'shell_stream'"
    ),
    "a reply to nobody": "'no_reply', {}, 'shell_stream'",
    "observations without a shape": (
        f"'display_data', {{'data': {{{OBSERVATION_TYPE!r}: [7, [], {{'part': []}}]}}, "
        "'metadata': {}}"
    ),
    "an observation that is text": (
        f"'display_data', {{'data': {{{OBSERVATION_TYPE!r}: 'x'}}, 'metadata': {{}}}}"
    ),
}


@pytest.mark.parametrize("run", ["packets", "sockets"])
def test_a_malformed_message_costs_no_other_output_and_no_other_cell(run):
    cells = [f"send({kind})\nprint('own', flush=True)" for kind in KINDS.values()]
    if run == "packets":
        nb = run_with_packets(True, SEND, *cells, "print('last')")
    else:
        nb = run_with_sockets(SEND, *cells, "print('last')")
    json.dumps(nb, ensure_ascii=False, allow_nan=False).encode()
    lost = [
        (kind, cell.outputs)
        for kind, cell in zip(KINDS, nb.cells[1:], strict=False)
        if not text(cell).endswith("own\n")
    ]
    assert lost == []
    assert text(nb.cells[-1]) == "last\n"


def test_of_far_too_many_messages_only_small_ones_are_read():
    def message(text: str) -> list[bytes]:
        header, content = {"msg_type": "stream", "msg_id": "m"}, {"name": "stdout", "text": text}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        return [b"<IDS|MSG>", b"", *parts]

    reader, large, small = Reader(), message("x" * 1_000_000), message("x" * 100_000)
    read = [reader.read(large) is not None for _ in range(300)]
    assert read == [True] * 255 + [False] * 45
    assert reader.read(small)["content"]["text"] == "x" * 100_000
