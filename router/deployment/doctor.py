"""Examines what this machine can and cannot do for Waggle, and says how to mend what is missing."""

import asyncio
import importlib.metadata
import os
import platform
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from router.config.backends import LocalSettings, SandboxSettings, SpecialistSettings
from router.config.config import Config
from router.deployment.closed_folder import FolderNotOurs
from router.deployment.diagnosis import Diagnosis
from router.deployment.doctor_models import models_of
from router.deployment.local_service import RunningService, open_to_others
from router.deployment.processes import listening_addresses
from router.deployment.proxy import haproxy
from router.deployment.ray_environment import port_free, ray_folder, remove_links
from router.documents.passage_index import current, intact
from router.encoding.encoder import CannotEncode, exported, packaged_model
from router.telemetry.analyst import QueryRefused, locks_that_hold
from sandbox.cell.readonly import LOCK_NAMES

_OPENINGS_SHOWN = 3
PINNED = {"ray": "2.60.0", "torch": "2.13.0"}


def examine(config: Config, running: RunningService | None) -> Iterator[Diagnosis]:
    yield _python()
    yield from _versions(config)
    yield _proxy()
    yield _memory()
    yield _files()
    yield _disk(config.data)
    yield _writable(config.data)
    yield _closed(config.data)
    yield _socket_paths(config.data)
    if running is None:
        remove_links(config.data)
    yield _port(config, running)
    yield _encoder()
    yield from _specialists(config)
    yield from models_of(config)
    yield _sandbox(config)
    yield _queries(config)
    if running is not None:
        yield from _listening(running)


def _sandbox(config: Config) -> Diagnosis:
    """Find the strongest isolation that works on this machine."""
    from sandbox.levels import LEVEL_NAMES, best_level  # loads numpy

    wanted = [b.min_level for b in config.backends.values() if isinstance(b, SandboxSettings)]
    level, verdicts = asyncio.run(best_level())
    state = f"level {level}: {LEVEL_NAMES[level]}"
    if level >= max(wanted, default=1):
        return Diagnosis("Isolation", "ok", state)
    reasons = "; ".join(f"level {v.level}: {v.why}" for v in verdicts)
    mend = f"Programs do not run, and plans with `code` refuse. {reasons}"
    return Diagnosis("Isolation", "bad" if wanted else "warn", state, mend)


def _queries(config: Config) -> Diagnosis:
    """Try the locks of a process that runs an analyst's query."""
    folder = config.telemetry_folder
    if not (folder / "journal").is_dir():
        return Diagnosis("Queries (/v1/sql)", "ok", "no telemetry yet")
    try:
        locks = asyncio.run(locks_that_hold(folder))
    except QueryRefused as refusal:
        mend = "Look for damage with `waggle telemetry verify`."
        return Diagnosis("Queries (/v1/sql)", "bad", str(refusal), mend)
    missing = [name for name in LOCK_NAMES if name not in locks]
    state = ", ".join(locks) or "no lock of the kernel"
    if not missing:
        return Diagnosis("Queries (/v1/sql)", "ok", f"read only: {state}")
    mend = f"Give analysts' keys to people you trust: this kernel lacks {' and '.join(missing)}."
    return Diagnosis("Queries (/v1/sql)", "warn", state, mend)


def _python() -> Diagnosis:
    version = platform.python_version()
    good = sys.version_info[:2] == (3, 11)
    return Diagnosis("Python", "ok" if good else "bad", version, "" if good else "Use Python 3.11.")


def _versions(config: Config) -> Iterator[Diagnosis]:
    runs_models = any(isinstance(b, LocalSettings) for b in config.backends.values())
    for package, wanted in PINNED.items():
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            version = "missing"
            if package == "torch" and not runs_models and _is_exported(config):
                yield Diagnosis(package, "ok", "missing, and not needed: the encoder is exported")
                continue
        good = version.split("+")[0] == wanted
        mend = "" if good else f"Waggle was measured with {wanted}: run `make env`."
        yield Diagnosis(package, "ok" if good else "bad", version, mend)


def _is_exported(config: Config) -> bool:
    """Whether the packaged encoder was exported before, so that nothing needs torch."""
    try:
        return exported(packaged_model(), config.encoders_folder) is not None
    except CannotEncode:
        return False


def _proxy() -> Diagnosis:
    binary = haproxy()
    if binary:
        return Diagnosis("HAProxy ingress", "ok", binary)
    mend = "Ray's Python proxy is 10 to 40 times slower. Use Linux, or install haproxy."
    return Diagnosis("HAProxy ingress", "warn", "not available here", mend)


def _memory() -> Diagnosis:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count() or 1
    state = f"{total:.1f} GiB of memory, {cores} cores"
    if total < 3.5:  # a machine of 4 GiB shows somewhat less
        return Diagnosis("Size", "warn", state, "Waggle idles at about 1.5 GiB: 4 GiB are advised.")
    return Diagnosis("Size", "ok", state)


def _files() -> Diagnosis:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= 8192:
        return Diagnosis("Open files", "ok", str(soft))
    mend = f"Many connections at once may fail: ulimit -n {min(65536, hard)}"
    return Diagnosis("Open files", "warn", str(soft), mend)


def _disk(data: Path) -> Diagnosis:
    place = _existing(data)
    free = shutil.disk_usage(place).free / 2**30
    if free < 1:
        mend = f"Make room on the disk of {place}."
        return Diagnosis("Disk", "warn", f"{free:.2f} GiB free", mend)
    return Diagnosis("Disk", "ok", f"{free:.0f} GiB free")


def _writable(data: Path) -> Diagnosis:
    place = _existing(data)
    if os.access(place, os.W_OK):
        return Diagnosis("Data folder", "ok", str(data))
    mend = f"{place} cannot be written: set server.data, or change its owner."
    return Diagnosis("Data folder", "bad", str(data), mend)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest of its parents that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _closed(data: Path) -> Diagnosis:
    """Whether all below the data folder is closed to other users."""
    if not data.exists():
        return Diagnosis("Closed to others", "ok", "to be made")
    open_paths = list(open_to_others(data))
    if not open_paths:
        return Diagnosis("Closed to others", "ok", "all below the data folder")
    shown = "; ".join(f"{each.path} {each.wrong}" for each in open_paths[:_OPENINGS_SHOWN])
    state = f"{len(open_paths)} files and folders are not: {shown}"
    mend = f"{open_paths[0].mend} (and so on); `waggle serve` closes what is ours at its start."
    return Diagnosis("Closed to others", "bad", state, mend)


def _socket_paths(data: Path) -> Diagnosis:
    if not data.exists():
        return Diagnosis("Socket paths", "ok", "to be made")
    try:
        folder = ray_folder(data)
    except FolderNotOurs as error:
        return Diagnosis("Socket paths", "bad", error.wrong, error.mend)
    if folder.is_symlink():
        state = f"{folder} -> {data / 'ray'}"
        mend = "The data folder's path is too long for Unix sockets, so a link stands for it "
        return Diagnosis("Socket paths", "ok", state, mend + "while Waggle runs.")
    return Diagnosis("Socket paths", "ok", str(folder))


def _port(config: Config, running: RunningService | None) -> Diagnosis:
    host, port = config.server.host, config.server.port
    if running is not None:
        return Diagnosis("Port", "ok", f"{running.url} is ours")
    if port_free(host, port):
        return Diagnosis("Port", "ok", f"{host}:{port} is free")
    mend = "Another program listens there: stop it, or set server.port."
    return Diagnosis("Port", "bad", f"{host}:{port} is taken", mend)


def _encoder() -> Diagnosis:
    try:
        return Diagnosis("Sentence encoder", "ok", packaged_model().parent.name)
    except CannotEncode as error:
        return Diagnosis("Sentence encoder", "warn", str(error), "Or name a folder: kind: encoder.")


def _specialists(config: Config) -> Iterator[Diagnosis]:
    for name, settings in config.backends.items():
        if isinstance(settings, SpecialistSettings):
            home = Path(settings.home or "")
            if intact(home) is None:
                state = "not indexed yet" if current(home) is None else "its index is damaged"
                mend = "The specialist answers once it is indexed: waggle specialist refresh"
                yield Diagnosis(f"Specialist {name}", "warn", state, mend)
            else:
                yield Diagnosis(f"Specialist {name}", "ok", settings.folder)


def _listening(running: RunningService) -> Iterator[Diagnosis]:
    """The addresses on which the service listens, with a warning if any is outside loopback."""
    if not running.ours:
        return
    addresses = listening_addresses(running.pid)
    outside = [address for address in addresses if not address.startswith(("127.", "[::1]"))]
    if outside:
        mend = "The network reaches them. Only server.host is meant for that; report any other."
        yield Diagnosis("Listening", "warn", ", ".join(outside), mend)
    else:
        yield Diagnosis("Listening", "ok", f"{len(addresses)} sockets, all on loopback")
