"""One local service from its start to its end: its files, its processes, and how to find it.

Everything Waggle starts on a machine descends from the process that ran `waggle serve`, also when
the parent in between dies; so what is left at the end can be ended without guessing.
"""

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, export
from router.deployment.ray_environment import (
    free_ports,
    haproxy,
    install_proxy,
    ray_folder,
    ray_settings,
)

_SET_CHILD_SUBREAPER = 36
_SECRETS_FILE = "secrets.json"
_SESSIONS_KEPT = 3


@dataclass(frozen=True, slots=True)
class RunningService:
    """What `waggle status`, `stop` and `reload` need to find a service."""

    pid: int
    born: int
    url: str
    ray_address: str
    config: str
    ours: bool  # we started Ray; otherwise it is somebody else's cluster
    dashboard: str = ""  # where it is, if there is one

    @property
    def alive(self) -> bool:
        return self.pid != 0 and born(self.pid) == self.born


def running_file(data: Path) -> Path:
    return data / "running.json"


def find_running(data: Path) -> RunningService | None:
    """The service that uses this data folder, if it still lives."""
    try:
        running = RunningService(**json.loads(running_file(data).read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    return running if running.alive else None


def remember(data: Path, running: RunningService) -> None:
    beside = running_file(data).with_suffix(".new")
    beside.write_text(json.dumps(asdict(running)))
    beside.replace(running_file(data))


def forget(data: Path) -> None:
    running_file(data).unlink(missing_ok=True)


def prepare(config: Config, *, own_ray: bool, starting: bool = False) -> Path:
    """Set the environment that Ray will read when it is imported; where its files go.

    Only who starts a service also lays out its files: a running one is using them.
    """
    data = config.data
    token, auth = _tokens(data)
    export({TOKEN_VARIABLE: token, "HF_HUB_OFFLINE": "1"})
    folder = ray_folder(data)
    if own_ray:
        proxy = haproxy()
        export(ray_settings(folder, proxy, auth, free_ports(3)), force=True)
        if starting:
            folder.chmod(0o700)  # sockets below it are open to whoever reaches them
            shutil.rmtree(folder / "t", ignore_errors=True)
            (folder / "t").mkdir()
            _forget_old_sessions(folder)
            if proxy:
                install_proxy(folder, proxy)
    return folder


def end_left_behind(data: Path, seconds: float = 5.0) -> None:
    """End what a service on this folder left when it was killed.

    Most of Ray notices by itself after a moment, two of its agents do not. The secret in their
    environment, known to this folder alone, proves them ours.
    """
    mark = f"RAY_AUTH_TOKEN={_tokens(data)[1]}".encode()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        left = [pid for pid in _environments(mark) if born(pid)]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.05)


def _environments(mark: bytes) -> Iterator[int]:
    """Processes that were started with this line in their environment."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in entry.read_bytes().split(b"\0"):
                yield int(entry.parent.name)


def _forget_old_sessions(folder: Path) -> None:
    """Ray begins a folder of logs at each start and removes none. The last few are enough."""
    sessions = sorted(path for path in folder.glob("session_2*") if path.is_dir())
    for path in sessions[:-_SESSIONS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def _tokens(data: Path) -> tuple[str, str]:
    """The token between routers and backends, and Ray's own; made once, kept for a restart."""
    path = data / _SECRETS_FILE
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
        kept = json.loads(path.read_text())
        return kept["hop"], kept["ray"]
    data.mkdir(parents=True, exist_ok=True)
    made = {"hop": secrets.token_hex(24), "ray": secrets.token_hex(32)}
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file)
    return made["hop"], made["ray"]


def missing_secrets(running: RunningService, names: Iterable[str]) -> list[str]:
    """Which of these the service was started without. Its environment is read, and only names."""
    if not running.ours:
        return []
    try:
        raw = Path(f"/proc/{running.pid}/environ").read_bytes()
    except OSError:
        return []
    known = {line.partition(b"=")[0].decode("utf-8", "replace") for line in raw.split(b"\0")}
    return [name for name in names if name not in known]


def cluster_settings() -> dict[str, str]:
    """What nodes of a cluster that is not ours should have in their environment."""
    settings = ray_settings(Path("unused"), "haproxy", "", (0, 0, 0))
    local = (
        "_PORT",
        "TMPDIR",
        "HAPROXY_BINARY",
        "HAPROXY_CONFIG",
        "SOCKET_PATH",
        "SERVER_STATE",
        "RAY_AUTH",
    )
    return {k: v for k, v in settings.items() if not any(part in k for part in local)}


def tidy(data: Path) -> None:
    """Take away the link that stood in the temporary folder for a long path."""
    folder = ray_folder(data)
    if folder.is_symlink():
        folder.unlink()


def born(pid: int) -> int:
    """When a process began, in clock ticks since boot: a pid alone may have been given again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])  # a zombie has ended


def adopt_orphans() -> None:
    """Have processes whose parent died handed to us rather than to init. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> Iterator[int]:
    """Everything below a process, deepest last."""
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


def within(seconds: float, work: Callable[[], None]) -> bool:
    """Do it, but wait no longer than that: what hangs ends with this process."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def end_descendants(seconds: float = 5.0) -> int:
    """End what we started and is still there: asked first, then not asked. How many there were."""
    ended: set[int] = set()
    until = time.monotonic() + seconds
    for sign, patience in ((signal.SIGTERM, until), (signal.SIGKILL, until + 2)):
        while alive := [pid for pid in descendants(os.getpid()) if not _reaped(pid)]:
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            ended |= set(alive)
            if time.monotonic() > patience:
                break
            time.sleep(0.05)
    return len(ended)


def _reaped(pid: int) -> bool:
    """Collect a child that has ended; true if there is nothing left to end."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    return born(pid) == 0
