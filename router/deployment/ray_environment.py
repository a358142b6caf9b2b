"""The environment that Ray reads at its import, and Ray's folder.

Ray reads most settings once, at its import, and its children inherit them. Each setting was
measured: without the HAProxy ingress, a request costs ten to forty times as much.
"""

import contextlib
import os
import random
import re
import socket
import stat
import tempfile
from base64 import b32encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from router.deployment.closed_folder import FolderNotOurs
from router.wire.header_text import SERVES_SESSION

# The path of a Unix socket has at most 107 bytes, and 97 under HAProxy. To our folder, Ray adds a
# folder of 56 bytes and names of its own.
_LONGEST_FOLDER = 24


def ray_folder(data: Path) -> Path:
    """The folder of Ray's logs and sockets: in the data folder, or a short link to it.

    Ray reads programs and sockets through the link, so nobody else may be able to replace the link.
    """
    folder = data / "ray"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _fits(folder):
        return folder
    problems = []
    for link in short_links(data, Path.home(), Path(tempfile.gettempdir())):
        if not _fits(link):
            problems.append(f"{link} is too long")
        elif wrong := _unsafe(link.parent):
            problems.append(wrong)
        else:
            return _linked(link, folder)
    wrong = f"{folder} is too long for Unix sockets, and no short link can stand for it"
    mend = f"set server.data to a path of at most {_LONGEST_FOLDER - len('/ray')} letters"
    raise FolderNotOurs(f"{wrong} ({'; '.join(problems)})", mend)


def short_links(data: Path, home: Path, temporary: Path) -> list[Path]:
    """Where a link to Ray's folder may stand: in our home, else in a closed folder of our own."""
    of_whom = f"{os.geteuid()} {data}".encode()
    name = b32encode(blake2b(of_whom, digest_size=4).digest()).decode().rstrip("=").lower()
    return [home / f".wg-{name}", temporary / f"waggle-{name}" / "r"]


def _fits(folder: Path) -> bool:
    # Ray writes this path into HAProxy's configuration, where other letters would need quotes.
    return (
        len(str(folder)) <= _LONGEST_FOLDER and re.fullmatch(r"[\w./-]+", str(folder)) is not None
    )


def _unsafe(folder: Path) -> str:
    """Why another user could replace a link in this folder; empty if none could.

    A folder in the shared temporary folder is made here. If another user made it first, it is
    refused: who owns the folder owns the link.
    """
    if folder != Path.home():
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    try:
        state = folder.lstat()
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror}"
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        return f"{folder} is not a folder of user {os.geteuid()}, but of user {state.st_uid}"
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"other users may write in {folder}"
    return ""


def _linked(link: Path, folder: Path) -> Path:
    if not (link.is_symlink() and link.resolve() == folder.resolve()):
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    return link


def keep_link(folder: Path) -> None:
    """Renew the date of a link, so that no cleaner of the temporary folder takes it for old."""
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            os.utime(folder, follow_symlinks=False)
            os.utime(folder.parent)


def remove_links(data: Path) -> None:
    """Remove the link that stands for a long path, and the folder that was made for it."""
    for link in short_links(data, Path.home(), Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):  # another user may own the folder
            if link.is_symlink() and link.lstat().st_uid == os.geteuid():
                link.unlink()
                if link.name == "r":
                    link.parent.rmdir()


# Linux gives only higher ports to connections, so these stay free until Ray listens on them.
_QUIET = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now, and that Linux gives to no connection."""
    ports: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in random.sample(_QUIET, len(_QUIET)):
            if len(ports) == count:
                return ports
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
    raise OSError(f"fewer than {count} ports of {_QUIET} are free")


def port_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def ray_settings(
    folder: Path, proxy: str, auth_token: str, ports: Sequence[int], connections: int = 4096
) -> Mapping[str, str]:
    """The environment of every process that Waggle starts.

    `folder` is the short path of Ray's folder; programs are started by its real path. `ports` are
    three free ports. `connections`: how many HAProxy holds open.
    """
    fallback, statistics, metrics = ports
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_worker_niceness": "0",
        # Nobody listens to Ray's own metrics.
        "RAY_enable_metrics_collection": "0",
        # Ray makes dozens of threads in each process, and each would keep memory of its own.
        "MALLOC_ARENA_MAX": "2",
        # Our matrices are small; a pool of threads for each process is not.
        "OPENBLAS_NUM_THREADS": "1",
        # Without this, Ray listens on the machine's outer address instead of on 127.0.0.1.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Process titles must not overwrite the environment: a later start recognises the processes
        # of a killed service by their environment.
        "SPT_NOENV": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": auth_token,
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_SESSION_ID_HEADER_KEY": SERVES_SESSION,
        # The controller reacts this soon to a reload, or to the death of a replica or an ingress.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.05",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        # Serve starts the ingress again after three missed checks. A change of replicas under full
        # load keeps the ingress busy for half a second, which must not count as its death.
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.3",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "2",
        # Libraries such as torch leave files in the temporary folder, so they get one of ours.
        "TMPDIR": str(folder / "t"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if proxy:
        home = folder / "h"
        settings |= {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(folder.resolve() / "h" / "haproxy"),
            "RAY_SERVE_HAPROXY_NBTHREAD": "1",
            "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
            # With the fixed default ports, a second service on this machine could not start.
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(statistics),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(home / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(home / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(home / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(home),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(home / "server-state"),
            # Let answers of up to ten minutes survive a change of replicas; the default is two.
            "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "600",
            # If a router dies before it answers a request, another router gets the whole request.
            "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
            "RAY_SERVE_HAPROXY_RETRIES": "3",
            "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": "65536",
            "RAY_SERVE_HAPROXY_MAXCONN": str(connections),
            # How long a client may stop in the middle of its request, or of reading its answer. It
            # may wait for its answer without a limit.
            "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "60",
        }
    return settings
