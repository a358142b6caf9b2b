"""The supervisor's side of the nursery: starts it when a zygote is needed, and orders zygotes."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from sandbox.runner import RunRefused, Tier
from sandbox.supervisor.parent import Parent, end_of_process, kill, readable

_ROOT = Path(__file__).parents[2]
# What libraries do after a fork (seed `random` anew, replace locks) is for programs with threads: a
# worker has none, gets its own seed, and would pay for it with memory.
_MAIN = """
import json, os, sys
sys.path[:] = json.loads(sys.argv.pop())
os.register_at_fork = lambda **_: None
from sandbox.cell.nursery import main
main()
"""
_START_SECONDS = 60.0
# The nursery gets only these environment variables: it inherits no secrets and no paths.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
_USER_ID = 64100  # no account has this id; a zygote that starts as root becomes this user


class Nursery:
    """One process that forks zygotes. If it was killed, the next zygote comes from a new one."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    async def zygote(self, tier: Tier, level: int) -> Parent:
        """A new zygote that is locked. Raises `RunRefused` if this machine cannot lock a zygote.

        A start that is cancelled ends its zygote first, and leaves no process and no socket.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        order = json.dumps({"tier": tier, "level": level, "user_id": _USER_ID}).encode()
        # A plain future: when a loop ends, it cancels its tasks, and a cancelled one loses its
        # process.
        forking = asyncio.get_running_loop().run_in_executor(None, self._forked, theirs, order)
        try:
            handle = await asyncio.shield(forking)
            async with asyncio.timeout(_START_SECONDS):
                message = await _first_message(ours)
        except TimeoutError:
            message = b"Nthe zygote did not start within %d s" % _START_SECONDS
        except BaseException:
            ours.close()
            await _end(await forking)
            raise
        if message[:1] != b"R":
            ours.close()
            await _end(handle)
            why = message[1:].decode("utf-8", "replace") or "the zygote ended before it was ready"
            raise RunRefused(f"level {level}: {why}")
        return Parent(ours, handle)

    async def close(self) -> None:
        """End the nursery; its zygotes live on."""
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _forked(self, theirs: socket.socket, order: bytes) -> int:
        """A handle of the process of a new zygote, whose control socket is `theirs`."""
        with theirs, self._turn:
            for _ in range(2):
                control = self._control or self._launch()
                try:
                    socket.send_fds(control, [order], [theirs.fileno()])
                    _, descriptors, _, _ = socket.recv_fds(control, 16, 1)
                except OSError:
                    descriptors = []
                if descriptors:
                    os.set_inheritable(descriptors[0], False)
                    return descriptors[0]
                self._bury()  # it was killed, or did not answer
        raise RunRefused("the process that forks zygotes ended before it had forked one")

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_START_SECONDS)
        # It gets our import paths, because it reads neither our environment nor our folder.
        places = json.dumps([str(_ROOT), *(place for place in sys.path if place)])
        command = [sys.executable, "-I", "-B", "-c", _MAIN, str(theirs.fileno()), places]
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=_ENVIRONMENT,
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._control = ours
        return ours

    def _end(self) -> None:
        with self._turn:
            self._bury()

    def _bury(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


async def _end(handle: int) -> None:
    kill(handle)
    await asyncio.get_running_loop().run_in_executor(None, end_of_process, handle)


async def _first_message(control: socket.socket) -> bytes:
    await readable(control.fileno())
    try:
        return control.recv(4096)
    except OSError:
        return b""
