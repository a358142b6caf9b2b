"""The zygote: a fork of the nursery that has loaded a tier's libraries and locked itself. It forks
workers.

Messages on its control socket begin with a letter. The zygote reads F (fork a worker for a slot).
It writes R (ready), N (this machine cannot lock a zygote, and why), W (a worker, with its
descriptors) and X (a worker's end, as `wait4` reported it). When the other end of the socket
closes, the zygote exits, and its workers die with it.
"""

import gc
import json
import os
import select
import signal
import socket
import struct
from collections.abc import Mapping
from typing import Any

from sandbox.cell import libraries, lockdown, seccomp, worker
from sandbox.cell.seccomp import Filter

FORK = struct.Struct("<cQI")  # F, slot, length of the settings that follow
WORKER = struct.Struct("<cQ")
EXIT = struct.Struct("<cQidQ")  # X, slot, wait status, CPU seconds, peak resident bytes


def become(control: socket.socket, settings: Mapping[str, Any]) -> None:
    """Make this process a zygote. Never returns."""
    libraries.load(settings["tier"])
    try:
        base = _lock(control, settings["level"], settings["user_id"])
    except OSError as refused:
        control.send(b"N" + str(refused).encode())
        os._exit(1)
    libraries.close_imports()
    worker.prepare()
    forker = _Forker(control, seccomp.computing(), base)
    gc.collect()
    gc.freeze()
    control.send(b"R")
    forker.serve()


def _lock(control: socket.socket, level: int, user_id: int) -> tuple[int, int]:
    lockdown.leave_root(user_id)
    if level >= 3:
        lockdown.enter_namespaces()
        inner = os.fork()  # the namespace's first process; the kernel ends all others with it
        if inner:
            control.close()
            lockdown.close_descriptors()
            _, status = os.waitpid(inner, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 255)
        lockdown.die_with_parent()
    os.setsid()
    base = lockdown.address_space()
    if level >= 3:
        lockdown.empty_root()
    if level >= 2:
        lockdown.landlock()
    if level >= 3:
        lockdown.drop_capabilities()
    lockdown.no_new_privileges()
    os.umask(0o077)
    return base


class _Forker:
    """Forks workers on request, and reports how each of them ended."""

    def __init__(self, control: socket.socket, filter_: Filter, base: tuple[int, int]) -> None:
        self._control, self._filter, self._base = control, filter_, base
        self._slots: dict[int, int] = {}  # by process id

    def serve(self) -> None:
        ended, signal_here = os.pipe()
        os.set_blocking(ended, False)
        os.set_blocking(signal_here, False)
        signal.set_wakeup_fd(signal_here)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(ended, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == ended:
                    os.read(ended, 4096)
                    self._reap()
                else:
                    self._obey(self._control.recv(1024))

    def _obey(self, message: bytes) -> None:
        if not message:
            os._exit(0)
        if message[:1] == b"F":
            _, slot, length = FORK.unpack_from(message)
            self._fork(slot, json.loads(message[FORK.size : FORK.size + length]))

    def _fork(self, slot: int, settings: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        out, into = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                worker.begin(theirs.fileno(), into, self._filter, self._base, settings)
            except BaseException as error:
                os.write(2, f"the worker could not start: {error!r}".encode())
            finally:
                os._exit(111)
        self._slots[process] = slot
        handle = os.pidfd_open(process)
        theirs.close()
        os.close(into)
        message = WORKER.pack(b"W", slot)
        socket.send_fds(self._control, [message], [ours.fileno(), out, handle])
        ours.close()
        os.close(out)
        os.close(handle)

    def _reap(self) -> None:
        while self._slots:
            process, status, usage = os.wait4(-1, os.WNOHANG)
            if process == 0:
                return
            slot = self._slots.pop(process, None)
            if slot is not None:
                seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
                self._control.send(EXIT.pack(b"X", slot, status, seconds, peak))
