"""Reads the processes of this machine from /proc, and ends those that Waggle started.

Everything that Waggle starts descends from the process that ran `waggle serve`; `adopt_orphans`
keeps it so even if a parent in between dies. Only Linux has /proc; elsewhere the functions find
nothing.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
# Loaded before a fork, because a child may not load it safely between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True)


def born(pid: int) -> int:
    """When a process began, in clock ticks since boot, or 0: another process may reuse its pid."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])  # a zombie counts as ended


def descendants(pid: int) -> Iterator[int]:
    """Every descendant of a process, parents before their children."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.parent.name))
    todo = list(children.get(pid, ()))
    while todo:
        child = todo.pop()
        yield child
        todo += children.get(child, ())


def find_parts(pid: int, parts: Mapping[str, str]) -> dict[str, int]:
    """For each name, a descendant whose command line contains the name's part, if there is one."""
    pids: dict[str, int] = {}
    for each in descendants(pid):
        with contextlib.suppress(OSError):
            line = (
                Path(f"/proc/{each}/cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode("utf-8", "replace")
            )
            pids |= {name: each for name, part in parts.items() if part in line and born(each)}
    return pids


def started_with(setting: str) -> Iterator[int]:
    """The processes whose environment at their start held this line."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if setting.encode() in entry.read_bytes().split(b"\0"):
                yield int(entry.parent.name)


def adopt_orphans() -> None:
    """Become the parent, in place of init, of descendants whose own parent died."""
    if sys.platform == "linux":
        _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent() -> None:
    """End this process when the thread that started it ends; for `preexec_fn`."""
    if sys.platform == "linux":
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def reap_orphans() -> None:
    """Collect all children that have ended, adopted ones too; nobody else waits for them."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def within(seconds: float, work: Callable[[], None]) -> bool:
    """Run the work in a thread, and return whether it ended in time."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def end_descendants(seconds: float = 5.0, keep: Collection[int] = ()) -> None:
    """End every process that we started: by SIGTERM, and after `seconds` by SIGKILL.

    The processes `keep` stay, and what they started.
    """
    give_up_at = time.monotonic() + seconds
    for sign, until in ((signal.SIGTERM, give_up_at), (signal.SIGKILL, give_up_at + 2)):
        while alive := [pid for pid in _descendants_but(keep) if not _reaped(pid)]:
            if seconds == 0 and sign == signal.SIGTERM:
                break
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            if time.monotonic() > until:
                break
            time.sleep(0.05)


def _descendants_but(keep: Collection[int]) -> Iterator[int]:
    kept = {each for pid in keep if pid for each in (pid, *descendants(pid))}
    return (pid for pid in descendants(os.getpid()) if pid not in kept)


def _reaped(pid: int) -> bool:
    """Collect a child that has ended; true if the process no longer runs."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    return born(pid) == 0


def listening_addresses(pid: int) -> list[str]:
    """The TCP addresses on which a process and its descendants listen, sorted from their ends."""
    inodes = {inode for each in (pid, *descendants(pid)) for inode in _sockets_of(each)}
    addresses = {address for inode, address in _listeners() if inode in inodes}
    return sorted(addresses, key=lambda address: address[::-1])


def _sockets_of(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]


def _listeners() -> Iterator[tuple[str, str]]:
    """The inode and the address of every listening TCP socket."""
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[9], _address(fields[1], family)


def _address(text: str, family: socket.AddressFamily) -> str:
    raw, port = text.split(":")
    words = [bytes.fromhex(raw[i : i + 8])[::-1] for i in range(0, len(raw), 8)]
    host = socket.inet_ntop(family, b"".join(words)).removeprefix("::ffff:")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{int(port, 16)}"
