"""A child process that holds the cluster, so that the command itself never imports Ray.

Ray ends the process that started it when its GCS dies, and calls into a half-dead Ray may block for
minutes: here they cost a child, which the command replaces. The child outlives the command by a
moment: it ends everything that the command left behind.

The child is a fork, which shares the memory of the command: the command must have no other thread.
"""

import contextlib
import functools
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from router.deployment import processes

Tell = Callable[[str], None]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.05
_REAP_SECONDS, _WATCH_SECONDS = 5.0, 2.0


class ClusterNotStarted(RuntimeError):
    """The cluster did not start; the message holds the reason."""


class ClusterProcess:
    """The running child. `start` and `stop` run in the child; `start` returns Ray's address."""

    def __init__(
        self,
        start: Callable[[Tell], str],
        stop: Callable[[], None],
        end_rest: Callable[[], None],
        lost: Callable[[], str],
        log: Path,
    ) -> None:
        """`lost`, in the child too, says why the cluster cannot go on. `log` gets Ray's words."""
        self._pipe, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        # A Ctrl-C in between would let the child go on as a second command.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self.pid = os.fork()
            if self.pid == 0:
                self._pipe.close()
                _live(theirs, start, stop, end_rest, lost, log)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        self._pipe.settimeout(_LOOK_SECONDS)
        self._received = b""
        self._status: int | None = None

    @property
    def ended(self) -> str:
        """How the child ended; empty while it runs."""
        if self._status is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid == 0:
                    return ""
                self._status = os.waitstatus_to_exitcode(status)
        code = self._status or 0
        return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"

    @property
    def lost(self) -> str:
        """Why the cluster cannot go on, as Ray itself sees it; empty while it can."""
        if select.select([self._pipe], [], [], 0)[0]:
            message = self._next_message()
            return (message or {}).get("lost", "")
        return ""

    def wait_until_up(self, tell: Tell, meanwhile: Callable[[], None]) -> str:
        """Return Ray's address once the service is up. Raises `ClusterNotStarted`."""
        while True:
            meanwhile()
            message = self._next_message()
            if message is None:
                if self.ended:
                    raise ClusterNotStarted(f"the process that starts the cluster {self.ended}")
            elif "progress" in message:
                tell(message["progress"])
            elif "failed" in message:
                raise ClusterNotStarted(message["failed"])
            else:
                return message["address"]

    def ask_to_stop(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.sendall(b"stop\n")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while not self.ended:
            time.sleep(_LOOK_SECONDS)
        self._pipe.close()

    def _next_message(self) -> dict[str, str] | None:
        while b"\n" not in self._received:
            try:
                received = self._pipe.recv(65536)
            except TimeoutError:
                return None
            except OSError:
                received = b""
            if not received:
                time.sleep(_LOOK_SECONDS)
                return None
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, str] = json.loads(line)
        return message


def _speak_into(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(handle, sys.stderr.fileno())
    os.close(handle)


def _live(
    pipe: socket.socket,
    start: Callable[[Tell], str],
    stop: Callable[[], None],
    end_rest: Callable[[], None],
    lost: Callable[[], str],
    log: Path,
) -> None:
    """What the child does. It leaves by `os._exit`, past everything that the command set up."""
    code = 1
    try:
        processes.adopt_orphans()
        ignore_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _speak_into(log)
        stopping = threading.Event()
        threading.Thread(target=_obey, args=(pipe, stopping, end_rest), daemon=True).start()

        def send(**message: str) -> None:
            with contextlib.suppress(OSError):
                pipe.sendall(json.dumps(message).encode() + b"\n")

        try:
            send(address=start(lambda text: send(progress=text)))
        except Exception as error:  # whatever Ray raises: the command tells it
            send(failed=str(error) or type(error).__name__)
        else:
            tell_lost = functools.partial(_watch, lost, lambda reason: send(lost=reason))
            threading.Thread(target=tell_lost, daemon=True).start()
        while not stopping.wait(_REAP_SECONDS):
            processes.reap_orphans()
        stop()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _watch(lost: Callable[[], str], tell: Tell) -> None:
    """Ask Ray itself, in a thread, because a half-dead Ray may never answer."""
    while True:
        time.sleep(_WATCH_SECONDS)
        with contextlib.suppress(Exception):
            if reason := lost():
                tell(reason)
                return


def ignore_signals() -> None:
    """Leave Ctrl-C and the like to the command. Ray sets handlers of its own, so call it after.

    The handlers are functions since those, unlike SIG_IGN, are not inherited by programs that we
    start.
    """
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)


def _obey(pipe: socket.socket, stopping: threading.Event, end_rest: Callable[[], None]) -> None:
    """Wait for the command's word. If the command is gone, end all that it left, at once."""
    pipe.settimeout(None)
    received = b""
    with contextlib.suppress(OSError):
        received = pipe.recv(64)
    if received:
        stopping.set()
        return
    processes.end_descendants(seconds=0)
    end_rest()
    os._exit(1)
