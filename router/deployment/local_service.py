"""One service on this machine: its record, secrets and folders, and what a killed service left."""

import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, environment, export
from router.deployment.closed_folder import Opening, make_closed, openings, trusted_users
from router.deployment.processes import born, started_with
from router.deployment.proxy import (
    connections_within,
    haproxy,
    install_proxy,
    raise_file_limit,
)
from router.deployment.ray_environment import free_ports, ray_folder, ray_settings
from router.files import write_whole
from router.keys import Key

_SECRETS_FILE = "secrets.json"
_RUNNING_FILE = "running.json"
_DEPLOYED_FILE = "deployed.json"
_SESSIONS_KEPT = 3
# Parts of setting names that belong to one machine; other clusters have their own values.
_LOCAL_PARTS = (
    "_PORT",
    "TMPDIR",
    "HAPROXY_BINARY",
    "HAPROXY_CONFIG",
    "SOCKET_PATH",
    "SERVER_STATE",
    "RAY_AUTH",
)


@dataclass(frozen=True, slots=True)
class RunningService:
    """The record by which `waggle status`, `stop` and `reload` find a service."""

    pid: int
    born: int
    url: str
    ray_address: str
    config: str
    ours: bool  # whether we started Ray; otherwise the cluster belongs to somebody else
    dashboard: str = ""  # address of the dashboard; empty without one

    @property
    def alive(self) -> bool:
        return self.pid != 0 and born(self.pid) == self.born


def find_running(data: Path) -> RunningService | None:
    """The service that uses this data folder, if the service is alive."""
    try:
        running = RunningService(**json.loads((data / _RUNNING_FILE).read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    return running if running.alive else None


def remember(data: Path, running: RunningService) -> None:
    write_whole(data / _RUNNING_FILE, json.dumps(asdict(running)).encode())


def forget(data: Path) -> None:
    (data / _RUNNING_FILE).unlink(missing_ok=True)


def log_to_file(data: Path) -> None:
    """Write the command's own warnings to the log of the service."""
    (data / "logs").mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(data / "logs" / "waggle.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    log = logging.getLogger("waggle")
    log.addHandler(handler)
    log.propagate = False


def remember_deployed(config: Config, keys: Sequence[Key]) -> None:
    """Write down what was deployed last, so that a cluster that starts again serves the same."""
    deployed = {
        "config": config.model_dump(mode="json"),
        "keys": [key.model_dump(mode="json") for key in keys],
    }
    write_whole(config.data / _DEPLOYED_FILE, json.dumps(deployed).encode(), mode=0o600)


def last_deployed(data: Path) -> tuple[Config, list[Key]] | None:
    """What was deployed last on this folder, if that can be read."""
    try:
        deployed = json.loads((data / _DEPLOYED_FILE).read_text())
        keys = [Key.model_validate(key) for key in deployed["keys"]]
        return Config.model_validate(deployed["config"]), keys
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepare(config: Config, *, own_ray: bool, starting: bool = False) -> Path:
    """Set the environment that Ray reads at its import, and return the folder of Ray's files.

    Only the command that starts a service may empty that folder, because a running service uses it.
    """
    token, auth = _tokens(config.data)
    export({TOKEN_VARIABLE: token, "HF_HUB_OFFLINE": "1"})
    if not own_ray:
        return config.data / "ray"
    folder = ray_folder(config.data)
    proxy, connections = haproxy(), connections_within(raise_file_limit())
    export(ray_settings(folder, proxy, auth, free_ports(3), connections), force=True)
    if starting:
        shutil.rmtree(folder / "t", ignore_errors=True)
        (folder / "t").mkdir(mode=0o700)
        _forget_old_sessions(folder)
        if proxy:
            each = config.server.connections_per_address
            install_proxy(folder, proxy, connections=connections, each=each)
    return folder


def end_left_behind(data: Path, seconds: float = 5.0) -> None:
    """End the processes that a killed service on this folder left.

    Most of Ray's processes end by themselves after a moment, but what stands in for its agents does
    not. A secret in their environment proves that they are ours: only this folder holds it.
    """
    setting = f"RAY_AUTH_TOKEN={_tokens(data)[1]}"
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        left = [pid for pid in started_with(setting) if born(pid) and pid != os.getpid()]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.05)


def _forget_old_sessions(folder: Path) -> None:
    """Delete all but the latest log folders: Ray makes one at each start and removes none."""
    sessions = sorted(path for path in folder.glob("session_2*") if path.is_dir())
    for path in sessions[:-_SESSIONS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def _tokens(data: Path) -> tuple[str, str]:
    """The token between routers and backends, and Ray's token; a restart uses the same tokens."""
    path = data / _SECRETS_FILE
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
        kept = json.loads(path.read_text())
        return kept["hop"], kept["ray"]
    made = {"hop": secrets.token_hex(24), "ray": secrets.token_hex(32)}
    write_whole(path, json.dumps(made).encode(), mode=0o600)
    return made["hop"], made["ray"]


def missing_secrets(running: RunningService, names: Iterable[str]) -> list[str]:
    """The variables among `names` that the service was started without. Only names are read."""
    if not running.ours:
        return []
    try:
        raw = Path(f"/proc/{running.pid}/environ").read_bytes()
    except OSError:
        return []
    present = {line.partition(b"=")[0].decode("utf-8", "replace") for line in raw.split(b"\0")}
    return [name for name in names if name not in present]


def cluster_settings() -> dict[str, str]:
    """The environment that the nodes of somebody else's cluster should have."""
    settings = ray_settings(Path("unused"), "haproxy", "", (0, 0, 0))
    return {k: v for k, v in settings.items() if not any(part in k for part in _LOCAL_PARTS)}


def close_to_others(data: Path) -> list[Path]:
    """Close the data folder to other users; return the paths that stood open."""
    return make_closed(data, trusted_users(environment("SUDO_UID")))


def open_to_others(data: Path) -> Iterator[Opening]:
    """What in the data folder other users could reach, or own."""
    return openings(data, trusted_users(environment("SUDO_UID")))
