"""The filters on system calls: allow-lists for computation and for reading, assembled by hand.

Classic BPF reads 32 bits at a time, so the filter tests both halves of an argument whose upper half
matters. A system call in another architecture's convention (x32, 32-bit) kills the process.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping, Sequence

from sandbox.cell.syscalls import (
    AUDIT_ARCH,
    COMPUTE,
    NEVER,
    NO_FILES,
    NO_PROCESSES,
    NUMBERS,
    READ,
)

MACHINE = platform.machine()
SUPPORTED = MACHINE in NUMBERS

_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCH = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000
_PROT_EXEC = 4
# O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and O_TMPFILE, with the same values on both architectures.
_MAY_CHANGE = 0x1 | 0x2 | 0x40 | 0x200 | 0x400000
_CLONE_THREAD = 0x10000
# The futex operations WAIT, WAKE, WAIT_BITSET and WAKE_BITSET; a mask removes their flags.
_FUTEX = (0, 1, 9, 10)
_F_GETFD, _F_GETFL = 1, 3
# Clocks below this number are the machine's and the caller's own. A larger number, read as a
# negative one, names the clock of another process or of a file.
_CLOCKS = 12
_PR_SET_NO_NEW_PRIVS = 38
_MARK = 0x0BADF00D  # placeholder for the worker's process id, which is known only after the fork

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def available() -> bool:
    """Whether this kernel supports filters: if so, it rejects a null pointer with `EFAULT`."""
    if not SUPPORTED:
        return False
    refused = _libc.syscall(NUMBERS[MACHINE]["seccomp"], 1, 0, None)
    return bool(refused == -1 and ctypes.get_errno() == errno.EFAULT)


class Filter:
    """A filter for this machine. The zygote builds it, down to the memory that the kernel reads;
    each worker only inserts its own process id."""

    def __init__(self, code: bytes) -> None:
        self._code = bytearray(code)
        mark = struct.pack("<I", _MARK)
        operands = range(4, len(code), 8)
        self._holes = [at for at in operands if code[at : at + 4] == mark]
        self._held = (ctypes.c_char * len(code)).from_buffer(self._code)
        program = _Program(len(code) // 8, ctypes.addressof(self._held))
        self._call = (NUMBERS[MACHINE]["seccomp"], 1, 0, ctypes.byref(program))

    def install(self, process_id: int) -> None:
        own = struct.pack("<I", process_id)
        for hole in self._holes:
            self._code[hole : hole + 4] = own
        if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs was refused")
        if _libc.syscall(*self._call):
            raise OSError(ctypes.get_errno(), "the system call filter was refused")


def computing() -> Filter:
    return Filter(assemble(MACHINE))


def install_reading() -> None:
    """Allow this process to compute and to read files; refuse every other system call."""
    Filter(assemble_reading(MACHINE)).install(os.getpid())


def assemble(machine: str) -> bytes:
    """Assemble the filter for computation on an architecture into the bytes the kernel reads."""
    verdicts = {name: [_op(_RETURN, _ALLOW)] for name in COMPUTE}
    verdicts |= _by_arguments()
    verdicts |= {name: [_refuse(errno.EACCES)] for name in NO_FILES}
    verdicts |= {name: [_refuse(errno.EAGAIN)] for name in NO_PROCESSES}
    verdicts |= {"ioctl": [_refuse(errno.ENOTTY)], "clone3": [_refuse(errno.ENOSYS)]}
    verdicts |= {name: [_op(_RETURN, _KILL)] for name in NEVER}
    return _assembled(machine, verdicts)


def assemble_reading(machine: str) -> bytes:
    """Assemble the filter for reading: a file opens only for reading, and a thread may start."""
    verdicts = {name: [_op(_RETURN, _ALLOW)] for name in (*COMPUTE, *READ)}
    verdicts |= {name: rule for name, rule in _by_arguments().items() if name not in READ}
    threads_only = [_op(_LOAD, _low(0)), _op(_ANY_BIT, _CLONE_THREAD, yes=1), _refuse(errno.EAGAIN)]
    verdicts["clone"] = [*threads_only, _op(_RETURN, _ALLOW)]
    verdicts |= {"open": _opened_to_read(1), "openat": _opened_to_read(2)}
    verdicts |= {"ioctl": [_refuse(errno.ENOTTY)], "clone3": [_refuse(errno.ENOSYS)]}
    return _assembled(machine, verdicts)


def _opened_to_read(flags: int) -> list[bytes]:
    may_change = _op(_ANY_BIT, _MAY_CHANGE, no=1)
    return [_op(_LOAD, _low(flags)), may_change, _refuse(errno.EACCES), _op(_RETURN, _ALLOW)]


def _assembled(machine: str, verdicts: Mapping[str, Sequence[bytes]]) -> bytes:
    numbers = NUMBERS[machine]
    code = [_op(_LOAD, _ARCH), _op(_EQUAL, AUDIT_ARCH[machine], yes=1), _op(_RETURN, _KILL)]
    code.append(_op(_LOAD, _NUMBER))
    if machine == "x86_64":
        code += [_op(_AT_LEAST, _X32, no=1), _op(_RETURN, _KILL)]
    for name, verdict in verdicts.items():
        if name in numbers:
            code += [_op(_EQUAL, numbers[name], no=len(verdict)), *verdict]
    code.append(_refuse(errno.EPERM))
    return b"".join(code)


def _by_arguments() -> dict[str, list[bytes]]:
    """The rules for system calls that are allowed only with certain arguments."""
    not_executable = [
        _op(_LOAD, _low(2)),
        _op(_ANY_BIT, _PROT_EXEC, no=1),
        _refuse(errno.EPERM),
        _op(_RETURN, _ALLOW),
    ]
    read_own_limits_only = [  # prlimit64(0, which, NULL, ...): a third argument would set a limit
        _op(_LOAD, _low(2)),
        _op(_EQUAL, 0, no=2),
        _op(_LOAD, _high(2)),
        _op(_EQUAL, 0, yes=1),
        _refuse(errno.EPERM),
        *_own_process(),
    ]
    only_itself = [
        _op(_LOAD, _low(0)),
        _op(_EQUAL, _MARK, no=1),
        _op(_RETURN, _ALLOW),
        _refuse(errno.EPERM),
    ]
    common_clock = [
        _op(_LOAD, _low(0)),
        _op(_AT_LEAST, _CLOCKS, no=1),
        _refuse(errno.EPERM),
        _op(_RETURN, _ALLOW),
    ]
    return {
        "mmap": not_executable,
        "mprotect": not_executable,
        "futex": _one_of(1, _FUTEX, errno.ENOSYS, mask=0x7F),
        "fcntl": _one_of(1, (_F_GETFD, _F_GETFL), errno.EPERM),
        "prlimit64": read_own_limits_only,
        "sched_getaffinity": _own_process(),
        "tgkill": only_itself,
        "clock_gettime": common_clock,
        "clock_getres": common_clock,
        "clock_nanosleep": common_clock,
    }


def _own_process() -> list[bytes]:
    """Allow a call whose first argument is the caller's own process id, or 0, which means it."""
    return [
        _op(_LOAD, _low(0)),
        _op(_EQUAL, 0, yes=1),
        _op(_EQUAL, _MARK, no=1),
        _op(_RETURN, _ALLOW),
        _refuse(errno.EPERM),
    ]


def _one_of(argument: int, values: tuple[int, ...], error: int, *, mask: int = 0) -> list[bytes]:
    code = [_op(_LOAD, _low(argument))]
    if mask:
        code.append(_op(_AND, mask))
    for position, value in enumerate(values):
        code.append(_op(_EQUAL, value, yes=len(values) - position))
    return [*code, _refuse(error), _op(_RETURN, _ALLOW)]


def _refuse(error: int) -> bytes:
    return _op(_RETURN, _ERRNO | error)


def _op(code: int, operand: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, operand)


def _low(argument: int) -> int:
    return 16 + 8 * argument


def _high(argument: int) -> int:
    return 20 + 8 * argument
