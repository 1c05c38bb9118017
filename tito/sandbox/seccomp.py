"""The system calls that a sandbox refuses, as a filter program for the kernel.

A deny-list: NumPy, matplotlib and a Jupyter kernel do ordinary things, and what follows is what
none of them does. It lowers what a hole in the Linux kernel could be reached by; what keeps
files and processes apart are the namespaces.

References
----------
Linux, Documentation/userspace-api/seccomp_filter.rst; ``linux/bpf_common.h``.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from dataclasses import dataclass

#: Number of a call on x86-64 and on aarch64; None where there is no such call. Not libseccomp's (by
#: pyseccomp 0.1): it is a library of the system, and an old one would let through what it does not
#: know by name.
CALLS: dict[str, tuple[int, int | None]] = {
    # The tree of files.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "fanotify_init": (300, 262),
    # Namespaces.
    "unshare": (272, 97),
    "setns": (308, 268),
    # Other processes.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # The machine.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "lookup_dcookie": (212, 18),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # Large parts of the Linux kernel that had many holes.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # Memory that belongs to no process, which the watchdog would not see.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "inotify_add_watch": (254, 27),
}

#: Newer calls than this one (`mseal`, Linux 6.10) do not exist in a sandbox; nor does the x32
#: interface, whose numbers begin at 2**30.
LAST_CALL = 462

#: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
NEW_NAMESPACES = 0x7E020000

#: TIOCSTI and TIOCLINUX type into the terminal of others, TIOCSETD loads line disciplines.
DENIED_IOCTLS = (0x5412, 0x541C, 0x5423)

#: Loopback inside the own network namespace; a Jupyter kernel needs it.
SOCKET_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
NETLINK_FAMILY, NETLINK_ROUTE = 16, 0

#: SO_SNDBUF, SO_RCVBUF and their FORCE forms. What waits in sockets is memory that the watchdog
#: does not see; asking for more seems to succeed and changes nothing.
SOL_SOCKET, BUFFER_SIZES = 1, (7, 8, 32, 33)

#: F_OFD_SETLK and F_OFD_SETLKW: locks of an open file, which /proc/locks shows as nobody's, so that
#: the watchdog could not tell whose they are. An older Linux has none.
LOCKS_OF_NOBODY = (37, 38)

# What a filter is made of: opcodes, where `struct seccomp_data` has what, and verdicts.
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_BITS, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
CALL_NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000


@dataclass(frozen=True)
class Machine:
    """A kind of processor: its number in audits, its column in :data:`CALLS`, six calls."""

    audit: int
    column: int
    clone: int
    ioctl: int
    fcntl: int
    sockets: tuple[int, int]
    setsockopt: int
    clone3: int = 435


MACHINES = {
    "x86_64": Machine(
        audit=0xC000003E,
        column=0,
        clone=56,
        ioctl=16,
        fcntl=72,
        sockets=(41, 53),
        setsockopt=54,
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        column=1,
        clone=220,
        ioctl=29,
        fcntl=25,
        sockets=(198, 199),
        setsockopt=208,
    ),
}

#: Opcode, steps to jump if true, if false, and the operand.
Instruction = tuple[int, int, int, int]


def this_machine() -> str | None:
    """Name the processor, or None where no filter can be made for it."""
    name = platform.machine()
    return name if name in MACHINES else None


def filter_bytes(machine: str) -> bytes:
    """Return the filter as the array of ``struct sock_filter`` that the kernel takes."""
    return b"".join(struct.pack("=HBBI", *step) for step in program(MACHINES[machine]))


def program(machine: Machine) -> list[Instruction]:
    """Assemble the filter. Its last matching part decides nothing: each part returns."""
    steps: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        _return(KILL),
        (LOAD, 0, 0, CALL_NUMBER),
        (JUMP_GREATER, 0, 1, LAST_CALL),
        _return(ERROR | errno.ENOSYS),
    ]
    for numbers in CALLS.values():
        number = numbers[machine.column]
        if number is not None:
            steps += _for_call(number, [_return(ERROR | errno.EPERM)])
    # Its flags lie in memory, where a filter cannot look; the C library then uses clone.
    steps += _for_call(machine.clone3, [_return(ERROR | errno.ENOSYS)])
    steps += _for_call(machine.clone, _deny_bits(0, NEW_NAMESPACES))
    steps += _for_call(machine.ioctl, _deny_values(1, DENIED_IOCTLS))
    steps += _for_call(machine.fcntl, _deny_values(1, LOCKS_OF_NOBODY, errno.EINVAL))
    steps += _for_call(machine.setsockopt, _ignore_buffer_sizes())
    for number in machine.sockets:
        steps += _for_call(number, _allow_families())
    return [*steps, _return(ALLOW)]


def _return(verdict: int) -> Instruction:
    return (RETURN, 0, 0, verdict)


def _load_argument(index: int) -> Instruction:
    # The low half of a 64-bit word; both machines are little-endian, and the kernel takes the
    # arguments looked at here as 32-bit numbers too.
    return (LOAD, 0, 0, ARGUMENTS + 8 * index)


def _for_call(number: int, body: list[Instruction]) -> list[Instruction]:
    """Do `body`, which returns, if the loaded number is this call's."""
    return [(JUMP_EQUAL, 0, len(body), number), *body]


def _deny_bits(argument: int, bits: int) -> list[Instruction]:
    return [
        _load_argument(argument),
        (JUMP_BITS, 0, 1, bits),
        _return(ERROR | errno.EPERM),
        _return(ALLOW),
    ]


def _deny_values(
    argument: int, values: tuple[int, ...], error: int = errno.EPERM
) -> list[Instruction]:
    steps = [_load_argument(argument)]
    for value in values:
        steps += [(JUMP_EQUAL, 0, 1, value), _return(ERROR | error)]
    return [*steps, _return(ALLOW)]


def _ignore_buffer_sizes() -> list[Instruction]:
    sizes = [(JUMP_EQUAL, 0, 1, size) for size in BUFFER_SIZES]
    body = [step for size in sizes for step in (size, _return(ERROR | 0))]
    return [
        _load_argument(1),
        (JUMP_EQUAL, 1, 0, SOL_SOCKET),
        _return(ALLOW),
        _load_argument(2),
        *body,
        _return(ALLOW),
    ]


def _allow_families() -> list[Instruction]:
    steps = [_load_argument(0)]
    for family in SOCKET_FAMILIES:
        steps += [(JUMP_EQUAL, 0, 1, int(family)), _return(ALLOW)]
    return [
        *steps,
        (JUMP_EQUAL, 0, 3, NETLINK_FAMILY),
        _load_argument(2),
        (JUMP_EQUAL, 0, 1, NETLINK_ROUTE),
        _return(ALLOW),
        _return(ERROR | errno.EAFNOSUPPORT),
    ]
