"""What this machine can and cannot do for Waggle, and how to mend what it cannot."""

import asyncio
import importlib.metadata
import os
import platform
import resource
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from router.config.backends import LocalSettings, SandboxSettings, SpecialistSettings
from router.config.config import Config
from router.deployment.local_service import RunningService, descendants
from router.deployment.ray_environment import haproxy, ray_folder
from router.documents.passage_index import current
from router.encoding.encoder import CannotEncode, packaged_model

Verdict = Literal["ok", "warn", "bad"]
_PINNED = {"ray": "2.60.0", "torch": "2.13.0"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    what: str
    verdict: Verdict
    found: str
    mend: str = ""


def examine(config: Config, running: RunningService | None) -> Iterator[Diagnosis]:
    yield _python()
    yield from _versions()
    yield _proxy()
    yield _memory()
    yield _files()
    yield _disk(config.data)
    yield _writable(config.data)
    yield _socket_paths(config.data)
    yield _port(config, running)
    yield _encoder()
    yield from _specialists(config)
    yield from _models(config)
    yield _sandbox(config)
    if running is not None:
        yield from _listening(running)


def _sandbox(config: Config) -> Diagnosis:
    """Tried, like all of this. Loads numpy, which nobody else here needs."""
    from sandbox.levels import LEVEL_NAMES, best_level

    wanted = [b.min_level for b in config.backends.values() if isinstance(b, SandboxSettings)]
    level, verdicts = asyncio.run(best_level())
    found = f"level {level}: {LEVEL_NAMES[level]}"
    if level >= max(wanted, default=1):
        return Diagnosis("Isolation", "ok", found)
    reasons = "; ".join(f"level {v.level}: {v.why}" for v in verdicts)
    mend = f"No program is run, and plans with `code` refuse. {reasons}"
    return Diagnosis("Isolation", "bad" if wanted else "warn", found, mend)


def _python() -> Diagnosis:
    version = platform.python_version()
    good = sys.version_info[:2] == (3, 11)
    return Diagnosis("Python", "ok" if good else "bad", version, "" if good else "Use Python 3.11.")


def _versions() -> Iterator[Diagnosis]:
    for package, wanted in _PINNED.items():
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found = "missing"
        good = found.split("+")[0] == wanted
        mend = "" if good else f"Waggle was measured with {wanted}: run `make env`."
        yield Diagnosis(package, "ok" if good else "bad", found, mend)


def _proxy() -> Diagnosis:
    binary = haproxy()
    if binary:
        return Diagnosis("HAProxy ingress", "ok", binary)
    mend = "Requests take Ray's Python proxy, 10 to 40 times slower. Use Linux, or install haproxy."
    return Diagnosis("HAProxy ingress", "warn", "not available here", mend)


def _memory() -> Diagnosis:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count() or 1
    found = f"{total:.1f} GiB of memory, {cores} cores"
    if total < 2:
        return Diagnosis("Size", "warn", found, "Waggle idles at about 1 GiB: 2 GiB are advised.")
    return Diagnosis("Size", "ok", found)


def _files() -> Diagnosis:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= 8192:
        return Diagnosis("Open files", "ok", str(soft))
    mend = f"Many connections at once may fail: ulimit -n {min(65536, hard)}"
    return Diagnosis("Open files", "warn", str(soft), mend)


def _disk(data: Path) -> Diagnosis:
    place = next(p for p in (data, *data.parents) if p.exists())
    free = shutil.disk_usage(place).free / 2**30
    if free < 1:
        return Diagnosis(
            "Disk", "warn", f"{free:.2f} GiB free", f"Make room on the disk of {place}."
        )
    return Diagnosis("Disk", "ok", f"{free:.0f} GiB free")


def _writable(data: Path) -> Diagnosis:
    place = next(p for p in (data, *data.parents) if p.exists())
    if os.access(place, os.W_OK):
        return Diagnosis("Data folder", "ok", str(data))
    mend = f"{place} cannot be written: set server.data, or change its owner."
    return Diagnosis("Data folder", "bad", str(data), mend)


def _socket_paths(data: Path) -> Diagnosis:
    if not data.exists():
        return Diagnosis("Socket paths", "ok", "to be made")
    folder = ray_folder(data)
    if folder.is_symlink():
        found = f"{folder} -> {data / 'ray'}"
        mend = "The data folder's path is too long for Unix sockets, so a link stands in the "
        return Diagnosis("Socket paths", "ok", found, mend + "temporary folder while Waggle runs.")
    return Diagnosis("Socket paths", "ok", str(folder))


def _port(config: Config, running: RunningService | None) -> Diagnosis:
    host, port = config.server.host, config.server.port
    if running is not None:
        return Diagnosis("Port", "ok", f"{running.url} is ours")
    if port_free(host, port):
        return Diagnosis("Port", "ok", f"{host}:{port} is free")
    mend = "Another program listens there: stop it, or set server.port."
    return Diagnosis("Port", "bad", f"{host}:{port} is taken", mend)


def port_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _encoder() -> Diagnosis:
    try:
        return Diagnosis("Sentence encoder", "ok", packaged_model().parent.name)
    except CannotEncode as error:
        return Diagnosis("Sentence encoder", "warn", str(error), "Or name a folder: kind: encoder.")


def _specialists(config: Config) -> Iterator[Diagnosis]:
    for name, settings in config.backends.items():
        if isinstance(settings, SpecialistSettings):
            folder = current(Path(settings.home or ""))
            if folder is None:
                mend = "It answers once it is: waggle specialist refresh"
                yield Diagnosis(f"Specialist {name}", "warn", "not indexed yet", mend)
            else:
                yield Diagnosis(f"Specialist {name}", "ok", settings.folder)


def _models(config: Config) -> Iterator[Diagnosis]:
    for name, settings in config.backends.items():
        for model, folder in settings.models.items() if isinstance(settings, LocalSettings) else ():
            if (Path(folder) / "config.json").is_file():
                yield Diagnosis(f"Model {name}/{model}", "ok", folder)
            else:
                mend = f"Put a model there, or change backends.{name}.models."
                yield Diagnosis(f"Model {name}/{model}", "bad", f"no config.json in {folder}", mend)


def _listening(running: RunningService) -> Iterator[Diagnosis]:
    """Which addresses the service's processes listen on. Any but loopback is worth knowing."""
    if not running.ours:
        return
    inodes = set(_sockets_of(running.pid))
    addresses = sorted(
        {address for inode, address in _listeners() if inode in inodes}, key=lambda a: a[::-1]
    )
    outside = [a for a in addresses if not a.startswith(("127.", "[::1]"))]
    found = f"{len(addresses)} sockets, all on loopback"
    if outside:
        mend = "Reachable from the network. Intended only for server.host; else report it."
        yield Diagnosis("Listening", "warn", ", ".join(outside), mend)
    else:
        yield Diagnosis("Listening", "ok", found)


def _sockets_of(pid: int) -> Iterator[str]:
    for one in (pid, *descendants(pid)):
        try:
            links = list(Path(f"/proc/{one}/fd").iterdir())
        except OSError:
            continue
        for link in links:
            try:
                target = str(link.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                yield target[8:-1]


def _listeners() -> Iterator[tuple[str, str]]:
    """Inode and address of every listening TCP socket."""
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[9], _address(fields[1], family)


def _address(text: str, family: socket.AddressFamily) -> str:
    raw, port = text.split(":")
    words = [bytes.fromhex(raw[i : i + 8])[::-1] for i in range(0, len(raw), 8)]
    host = socket.inet_ntop(family, b"".join(words))
    if host.startswith("::ffff:"):
        host = host.removeprefix("::ffff:")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{int(port, 16)}"
