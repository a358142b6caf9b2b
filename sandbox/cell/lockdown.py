"""The locks of a zygote: it gives up its identity, file system, network and capabilities.

This works on Linux only, through ctypes. A function raises `OSError` if the kernel refuses a
namespace, a mount, Landlock or the loss of capabilities.
"""

import contextlib
import ctypes
import os
import resource
import struct
from collections.abc import Iterable
from pathlib import Path

from sandbox.cell.seccomp import MACHINE
from sandbox.cell.syscalls import NUMBERS

_libc = ctypes.CDLL(None, use_errno=True)

_NEW_USER, _NEW_MOUNT, _NEW_PID, _NEW_NET = 0x10000000, 0x00020000, 0x20000000, 0x40000000
_NEW_IPC, _NEW_UTS, _NEW_CGROUP = 0x08000000, 0x04000000, 0x02000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_RECURSIVE, _PRIVATE = 16384, 1 << 18
_DETACH = 2
_SET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _DROP_BOUND, _SECUREBITS = 1, 4, 8, 24, 28
_NO_NEW_PRIVS, _AMBIENT, _AMBIENT_CLEAR = 38, 47, 4
_CAP_DAC_READ_SEARCH, _CAP_SETGID, _CAP_SETUID = 2, 6, 7
_NOBODY = 65534

_READ_FILE, _READ_FOLDER, _BENEATH = 4, 8, 1  # of Landlock

# How many rights on files each version of Landlock's interface has.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


def leave_root(user_id: int) -> None:
    """If this process runs as root with capabilities, become an ordinary user for good."""
    if os.geteuid() == 0:
        held = _effective_capabilities()
        if held >> _CAP_SETUID & 1 and held >> _CAP_SETGID & 1:
            os.setgroups([])
            os.setresgid(user_id, user_id, user_id)
            os.setresuid(user_id, user_id, user_id)
        elif held:
            raise OSError("this root user may not give up its capabilities")
    # After a change of user, root owns /proc/self, where this process must write its uid_map.
    prctl(_SET_DUMPABLE, 1)


def enter_namespaces() -> None:
    """Enter new namespaces for users, mounts, processes, network, IPC and names.

    Files stay visible until `empty_root`. The process namespace begins with the next fork.
    """
    user, group = os.geteuid(), os.getegid()
    every = _NEW_USER | _NEW_MOUNT | _NEW_PID | _NEW_NET | _NEW_IPC | _NEW_UTS | _NEW_CGROUP
    _check(_libc.unshare(every), "the kernel refused new namespaces")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {user} 1"),
        ("gid_map", f"{_NOBODY} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def empty_root() -> None:
    """Replace the root directory by an empty, read-only file system."""
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("none", "/tmp", "tmpfs", _NO_SUID | _NO_DEV, "size=64k,nr_inodes=16,mode=755")
    os.chdir("/tmp")
    Path("old").mkdir()
    pivoted = _libc.syscall(NUMBERS[MACHINE]["pivot_root"], b".", b"old")
    _check(pivoted, "the kernel refused pivot_root")
    _check(_libc.umount2(b"/old", _DETACH), "the old root cannot be unmounted")
    Path("/old").rmdir()
    os.chdir("/")
    _mount(None, "/", None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV | _NO_EXEC)


def read_as(user_id: int) -> None:
    """If this process runs as root, become another user for good, who may still read any file.

    Landlock decides which files. Where root lacks a capability that this takes, as in a container,
    the process stays root without any capability, and reads what root owns.
    """
    if os.geteuid() != 0:
        return
    needed = 1 << _CAP_SETUID | 1 << _CAP_SETGID | 1 << _CAP_DAC_READ_SEARCH
    if _effective_capabilities() & needed != needed:
        drop_capabilities()
        return
    prctl(_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    for capability in range(64):
        if prctl(_DROP_BOUND, capability) != 0:
            break
    os.setresuid(user_id, user_id, user_id)
    _set_capabilities(1 << _CAP_DAC_READ_SEARCH)


def drop_capabilities() -> None:
    for capability in range(64):
        if prctl(_DROP_BOUND, capability) != 0:
            break
    prctl(_AMBIENT, _AMBIENT_CLEAR)
    prctl(_SECUREBITS, 0x2F)
    _set_capabilities(0)


def _set_capabilities(kept: int) -> None:
    """Keep these capabilities of the first 32, effective and permitted; no child inherits any."""
    header, sets = struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", kept, kept, 0, 0, 0, 0)
    _check(_libc.capset(header, sets), "capabilities cannot be dropped")


def landlock_version() -> int:
    """The version of the kernel's Landlock interface, or 0 if there is none."""
    number = NUMBERS[MACHINE]["landlock_create_ruleset"]
    return max(int(_libc.syscall(number, None, ctypes.c_size_t(0), 1)), 0)


def landlock(readable: Iterable[Path] = ()) -> None:
    """Forbid files, but allow reading below some folders; on newer kernels forbid also TCP ports,
    and contact with processes outside."""
    version = landlock_version()
    if not version:
        raise OSError("this kernel has no Landlock")
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    handled = struct.pack("<QQQ", files, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    numbers = NUMBERS[MACHINE]
    rules = _check(
        _libc.syscall(
            numbers["landlock_create_ruleset"], handled, ctypes.c_size_t(len(handled)), 0
        ),
        "Landlock accepted no rules",
    )
    for folder in readable:
        _allow_reading(rules, folder)
    no_new_privileges()
    restricted = _libc.syscall(numbers["landlock_restrict_self"], rules, 0)
    _check(restricted, "the kernel refused Landlock")
    os.close(rules)


def _allow_reading(rules: int, folder: Path) -> None:
    place = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    beneath = struct.pack("<Qi", _READ_FILE | _READ_FOLDER, place)
    added = _libc.syscall(NUMBERS[MACHINE]["landlock_add_rule"], rules, _BENEATH, beneath, 0)
    os.close(place)
    _check(added, f"Landlock accepted no rule for {folder.name}")


def no_new_privileges() -> None:
    _check(prctl(_NO_NEW_PRIVS, 1), "the kernel refused no_new_privs")


def die_with_parent() -> None:
    """Make the kernel kill this process when its parent's only thread ends."""
    prctl(_SET_PDEATHSIG, 9)


def hide_memory() -> None:
    prctl(_SET_DUMPABLE, 0)


def address_space() -> tuple[int, int]:
    """How many bytes this process has mapped, and how many of these bytes are data."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    status = Path("/proc/self/status").read_text()
    data = next(line for line in status.splitlines() if line.startswith("VmData"))
    return pages * resource.getpagesize(), int(data.split()[1]) * 1024


def limit(base: tuple[int, int], *, memory_bytes: int, cpu_seconds: int | None) -> None:
    """Set hard limits. `base`, the zygote's `address_space`, is added to the program's memory."""
    mapped, data = base
    limits = {
        resource.RLIMIT_AS: mapped + memory_bytes + (64 << 20),
        resource.RLIMIT_DATA: data + memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 8,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
        resource.RLIMIT_SIGPENDING: 64,
    }
    for which, bound in limits.items():
        resource.setrlimit(which, (bound, bound))
    if cpu_seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def prctl(option: int, value: int) -> int:
    zeros = [ctypes.c_ulong(0)] * 3
    return int(_libc.prctl(ctypes.c_ulong(option), ctypes.c_ulong(value), *zeros))


def close_descriptors() -> None:
    with contextlib.suppress(FileNotFoundError):
        for number in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
            if number > 2:
                with contextlib.suppress(OSError):
                    os.close(number)


def _effective_capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return int(line.split()[1], 16)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    def raw(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    done = _libc.mount(raw(source), raw(target), raw(kind), ctypes.c_ulong(flags), raw(options))
    _check(done, f"the kernel refused to mount {target}")


def _check(returned: int, what: str) -> int:
    if returned < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return returned
