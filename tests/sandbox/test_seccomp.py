"""The system call filter of both architectures, run by a small interpreter in Python."""

import errno
import struct

import pytest

from sandbox.cell.seccomp import assemble, assemble_reading
from sandbox.cell.syscalls import AUDIT_ARCH, COMPUTE, NEVER, NO_FILES, NO_PROCESSES, NUMBERS

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
PROCESS = 0x0BADF00D  # the placeholder in the filter for the process id of a worker


def verdict(
    machine: str, number: int, *arguments: int, arch: int | None = None, assembled=assemble
) -> int:
    """Run the filter for this call like the kernel, and return its value."""
    arch = AUDIT_ARCH[machine] if arch is None else arch
    padded = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, arch, 0, *padded)
    code = assembled(machine)
    at, accumulator = 0, 0
    while True:
        op, yes, no, operand = struct.unpack_from("<HBBI", code, 8 * at)
        at += 1
        if op == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif op == 0x54:
            accumulator &= operand
        elif op == 0x06:
            return operand
        else:
            tests = {0x15: accumulator == operand, 0x35: accumulator >= operand}
            holds = tests.get(op, bool(accumulator & operand))
            at += yes if holds else no


both = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@both
def test_a_call_is_allowed_or_refused_or_kills_the_process(machine: str):
    numbers = NUMBERS[machine]
    for name in COMPUTE:
        if name in numbers:
            assert verdict(machine, numbers[name]) == ALLOW, name
    for name in NEVER:
        assert verdict(machine, numbers[name]) == KILL, name
    for name in NO_FILES:
        if name in numbers:
            assert verdict(machine, numbers[name]) == REFUSE | errno.EACCES, name
    for name in NO_PROCESSES:
        if name in numbers:
            assert verdict(machine, numbers[name]) == REFUSE | errno.EAGAIN, name


@both
def test_every_number_that_is_not_named_is_refused(machine: str):
    named = set(NUMBERS[machine].values())
    for number in range(1024):
        if number not in named:
            assert verdict(machine, number) == REFUSE | errno.EPERM, number


@both
def test_arguments_decide_where_they_matter(machine: str):
    n = NUMBERS[machine]
    for name in ("mmap", "mprotect"):
        assert verdict(machine, n[name], 0, 4096, 3) == ALLOW
        assert verdict(machine, n[name], 0, 4096, 7) == REFUSE | errno.EPERM
    assert verdict(machine, n["prlimit64"], 0, 7, 0) == ALLOW
    for new_limit in (0x1000, 0x7F00_0000_0000):  # pointers with bits in either half
        assert verdict(machine, n["prlimit64"], 0, 7, new_limit) == REFUSE | errno.EPERM
        assert verdict(machine, n["prlimit64"], PROCESS, 7, new_limit) == REFUSE | errno.EPERM
    assert verdict(machine, n["tgkill"], PROCESS, 1, 9) == ALLOW
    assert verdict(machine, n["tgkill"], 1, 1, 9) == REFUSE | errno.EPERM
    for operation in (0, 1, 9, 10, 128, 129, 0x189):
        assert verdict(machine, n["futex"], 0, operation) == ALLOW, operation
    assert verdict(machine, n["futex"], 0, 6) == REFUSE | errno.ENOSYS
    for command, allowed in (
        (1, True),
        (3, True),
        (0, False),
        (2, False),
        (8, False),
        (1030, False),
    ):
        expected = ALLOW if allowed else REFUSE | errno.EPERM
        assert verdict(machine, n["fcntl"], 1, command) == expected, command


@both
@pytest.mark.parametrize("call", ["sched_getaffinity", "prlimit64"])
def test_a_process_may_ask_about_itself_only(machine: str, call: str):
    number = NUMBERS[machine][call]
    for own in (0, PROCESS):
        assert verdict(machine, number, own) == ALLOW, own
    for other in (1, PROCESS - 1, PROCESS + 1, 0xFFFF_FFFF):
        assert verdict(machine, number, other) == REFUSE | errno.EPERM, other


@both
@pytest.mark.parametrize("call", ["clock_gettime", "clock_getres", "clock_nanosleep"])
def test_the_clock_of_another_process_is_refused(machine: str, call: str):
    number = NUMBERS[machine][call]
    for clock in range(12):
        assert verdict(machine, number, clock) == ALLOW, clock
    for process in (0, 1, 4242):  # the kernel writes a process's clock as an inverted id
        for kind in range(8):
            clock = (~process << 3 | kind) & 0xFFFF_FFFF
            assert verdict(machine, number, clock) == REFUSE | errno.EPERM, (process, kind)
            above = clock | 0xFFFF_FFFF_0000_0000
            assert verdict(machine, number, above) == REFUSE | errno.EPERM, (process, kind)


@both
def test_another_calling_convention_kills_the_process(machine: str):
    other = {"x86_64": 0x40000003, "aarch64": 0x40000028}[machine]  # i386, 32-bit ARM
    assert verdict(machine, NUMBERS[machine]["read"], arch=other) == KILL
    if machine == "x86_64":
        assert verdict(machine, 0x40000000 | 39) == KILL  # a call of the x32 interface


@both
def test_no_two_calls_have_one_number(machine: str):
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])


def test_the_architectures_differ_only_in_old_calls():
    """aarch64 may lack only old calls, which newer calls had replaced before aarch64 existed."""
    old = {"open", "stat", "lstat", "access", "readlink", "fork", "vfork", "time", "getrlimit"}
    old |= {"poll"}
    assert NUMBERS["x86_64"].keys() - NUMBERS["aarch64"].keys() == old
    assert NUMBERS["aarch64"].keys() <= NUMBERS["x86_64"].keys()


@both
def test_a_reading_process_opens_files_for_reading_only(machine: str):
    openat = NUMBERS[machine]["openat"]
    close_on_exec, append = 0x80000, 0x400
    for flags in (0, close_on_exec, append):
        assert verdict(machine, openat, 0, 0, flags, assembled=assemble_reading) == ALLOW
    for flags in (0x1, 0x2, 0x40, 0x200, 0x400000, 0x1 | 0x40 | close_on_exec):
        refused = verdict(machine, openat, 0, 0, flags, assembled=assemble_reading)
        assert refused == REFUSE | errno.EACCES, hex(flags)


@both
def test_a_reading_process_starts_threads_and_no_processes(machine: str):
    clone = NUMBERS[machine]["clone"]
    assert verdict(machine, clone, 0x3D0F00, assembled=assemble_reading) == ALLOW
    assert verdict(machine, clone, 17, assembled=assemble_reading) == REFUSE | errno.EAGAIN
    for name in ("execve", "ptrace", "io_uring_setup", "open_by_handle_at", "unshare", "bpf"):
        number = NUMBERS[machine][name]
        assert verdict(machine, number, assembled=assemble_reading) == REFUSE | errno.EPERM, name
