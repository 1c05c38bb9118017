"""The filter of system calls, run by a small interpreter of its language."""

import errno
import re
import struct
from pathlib import Path

import pytest

from tito.sandbox import seccomp
from tito.sandbox.seccomp import ALLOW, CALLS, ERROR, KILL, MACHINES

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
REFUSED = ERROR | errno.EPERM


@pytest.fixture(params=MACHINES)
def machine(request) -> str:
    return request.param


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Run the filter on a system call, as the kernel would."""
    given = MACHINES[machine].audit if audit is None else audit
    arguments += (0,) * (6 - len(arguments))
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, given, 0, *arguments)
    program = list(struct.iter_unpack("=HBBI", seccomp.filter_bytes(machine)))
    at = loaded = 0
    while True:
        opcode, if_true, if_false, operand = program[at]
        at += 1
        if opcode == seccomp.RETURN:
            return operand
        if opcode == seccomp.LOAD:
            loaded = struct.unpack_from("=I", data, operand)[0]
            continue
        holds = {
            seccomp.JUMP_EQUAL: loaded == operand,
            seccomp.JUMP_GREATER: loaded > operand,
            seccomp.JUMP_BITS: bool(loaded & operand),
        }[opcode]
        at += if_true if holds else if_false


def test_every_listed_call_is_refused(machine):
    column = MACHINES[machine].column
    numbers = [both[column] for both in CALLS.values() if both[column] is not None]
    assert {verdict(machine, number) for number in numbers} == {REFUSED}


def test_all_other_calls_are_allowed(machine):
    one = MACHINES[machine]
    special = {one.clone, one.clone3, one.ioctl, one.fcntl, one.setsockopt, *one.sockets}
    listed = {both[one.column] for both in CALLS.values()} | special
    others = set(range(seccomp.LAST_CALL + 1)) - listed
    assert {verdict(machine, number) for number in others} == {ALLOW}


@pytest.mark.parametrize("number", [463, 2**30 + 1, 2**30 + 520, 2**32 - 1])
def test_newer_calls_and_those_of_x32_do_not_exist(machine, number):
    assert verdict(machine, number) == ERROR | errno.ENOSYS


def test_calls_of_another_architecture_kill(machine):
    i386 = 0x40000003
    assert verdict(machine, 1, audit=i386) == KILL


@pytest.mark.parametrize(
    "bit", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_clone_makes_threads_and_processes_but_no_namespaces(machine, bit):
    clone, thread, fork = MACHINES[machine].clone, 0x3D0F00, 0x1200011
    assert verdict(machine, clone, thread) == verdict(machine, clone, fork) == ALLOW
    assert verdict(machine, clone, fork | bit) == REFUSED
    assert verdict(machine, MACHINES[machine].clone3) == ERROR | errno.ENOSYS


def test_nothing_is_typed_into_terminals(machine):
    ioctl, tcgets, tiocsti = MACHINES[machine].ioctl, 0x5401, 0x5412
    assert verdict(machine, ioctl, 0, tcgets) == ALLOW
    assert verdict(machine, ioctl, 0, tiocsti) == REFUSED
    # The kernel looks at the low half only, and so does the filter.
    assert verdict(machine, ioctl, 0, tiocsti | 1 << 32) == REFUSED


def test_file_locks_are_those_that_can_be_counted(machine):
    fcntl, of_a_process, of_nobody = MACHINES[machine].fcntl, (6, 7), (37, 38)
    assert {verdict(machine, fcntl, 3, command) for command in of_a_process} == {ALLOW}
    assert {verdict(machine, fcntl, 3, command) for command in of_nobody} == {ERROR | errno.EINVAL}


def test_sizes_of_socket_buffers_are_ignored(machine):
    call, ip = MACHINES[machine].setsockopt, 0
    reuse_address, send_buffer, receive_buffer = 2, 7, 8
    pretended = ERROR | 0
    assert verdict(machine, call, 5, seccomp.SOL_SOCKET, reuse_address) == ALLOW
    assert verdict(machine, call, 5, ip, send_buffer) == ALLOW
    for size in (send_buffer, receive_buffer, 32, 33):
        assert verdict(machine, call, 5, seccomp.SOL_SOCKET, size) == pretended


def test_sockets_are_those_that_a_kernel_needs(machine):
    for call in MACHINES[machine].sockets:
        allowed = {family for family in range(50) if verdict(machine, call, family, 1, 0) == ALLOW}
        assert allowed == {1, 2, 10, 16}  # unix, IPv4, IPv6, netlink
        audit_netlink = 9
        denied = ERROR | errno.EAFNOSUPPORT
        assert verdict(machine, call, 16, 3, audit_netlink) == denied


def test_numbers_are_those_of_the_systems_headers(machine):
    if not HEADERS[machine].exists():
        pytest.skip("the headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text())
    known = {name: int(number) for name, number in found}
    column = MACHINES[machine].column
    ours = {name: both[column] for name, both in CALLS.items() if both[column] is not None}
    assert {name: known.get(name, ours[name]) for name in ours} == ours
