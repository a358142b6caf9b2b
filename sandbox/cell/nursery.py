"""The nursery: a process that has loaded what zygotes share, and forks zygotes.

It runs no program and reads nothing but its supervisor's orders, so it is not locked: a zygote
locks itself. It loads the standard library, and numpy once a zygote needs it; a zygote with scipy
loads scipy itself. What was loaded before a fork is in memory once, for all.

A message on its control socket names a tier and a level and brings the control socket of the new
zygote. The answer brings a handle of the zygote's process. When the other end closes, the nursery
exits; its zygotes have sockets of their own.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import sys

from sandbox.cell import libraries, scratch, zygote

_SHARED = {"stdlib": "stdlib", "numpy": "numpy", "scipy": "numpy"}


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    scratch.install()
    _load("stdlib")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
        if not message:
            os._exit(0)
        settings = json.loads(message)
        _load(_SHARED[settings["tier"]])
        (descriptor,) = descriptors
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        process = os.fork()
        if process == 0:
            try:
                control.close()
                zygote.become(socket.socket(fileno=descriptor), settings)
            finally:
                os._exit(111)
        os.close(descriptor)
        handle = os.pidfd_open(process)
        socket.send_fds(control, [b"P"], [handle])
        os.close(handle)
        _bury_zygotes()


def _bury_zygotes() -> None:
    """Remove zygotes that have ended, and let the kernel remove those that end from now on."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load(tier: str) -> None:
    if libraries.load(tier):
        gc.collect()
        gc.freeze()  # a later collection must not write to pages that are shared
