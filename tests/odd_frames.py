"""Code for a cell that sends frames as no kernel would."""

#: Sends a frame of any shape, with halves of characters in it, or bytes that are none.
SEND = """
import json, struct, sys

kernel = sys.modules["tito_shell"].OUTPUTS

def send(kind, content=None, **more):
    frame = {"kind": kind, "cell": kernel.cell, **(content or {}), **more}
    send_bytes(json.dumps(frame, default=str).encode())

def send_bytes(data, length=None):
    with kernel:
        head = struct.pack("=I", len(data) if length is None else length)
        kernel._connection.sendall(head + data)

def deep(levels):
    made = []
    for _ in range(levels):
        made = [made]
    return made
"""
