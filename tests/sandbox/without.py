"""`python -m tests.sandbox.without unshare=1 -- COMMAND` runs COMMAND without these system calls.

The kernel refuses each call with the given error number, as in a container or an older kernel.
"""

import ctypes
import os
import struct
import sys

from sandbox.cell.seccomp import MACHINE
from sandbox.cell.syscalls import NUMBERS


def _op(code: int, operand: int, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, 0, no, operand)


def refuse(calls: dict[str, int]) -> None:
    code = [_op(0x20, 0)]
    for name, error in calls.items():
        code += [_op(0x15, NUMBERS[MACHINE][name], no=1), _op(0x06, 0x00050000 | error)]
    code.append(_op(0x06, 0x7FFF0000))
    raw = ctypes.create_string_buffer(b"".join(code))

    class FilterProgram(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    program = FilterProgram(len(code), ctypes.addressof(raw))
    assert libc.syscall(NUMBERS[MACHINE]["seccomp"], 1, 0, ctypes.byref(program)) == 0


if __name__ == "__main__":
    divider = sys.argv.index("--")
    pairs = (given.split("=") for given in sys.argv[1:divider])
    refuse({name: int(error) for name, error in pairs})
    os.execv(sys.argv[divider + 1], sys.argv[divider + 1 :])
