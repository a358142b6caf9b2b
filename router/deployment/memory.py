"""How much memory the processes of a service take, from Linux's /proc; elsewhere nothing is known.

The memory is proportional (PSS): what processes share is counted once, in parts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from router.deployment.applications import deployment_of, is_ours, is_shared
from router.deployment.processes import descendants

_REPLICA = "ray::ServeReplica:"


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """Megabytes of a whole service, and of the replicas of each backend; those of backends that
    share a process are by the name of that process."""

    whole_mb: int
    backends_mb: Mapping[str, int]
    shared_mb: Mapping[str, int]


def memory_of(pid: int) -> ServiceMemory:
    """The memory of a service by the process that started it."""
    whole, backends, shared = 0, Counter[str](), Counter[str]()
    for each in (pid, *descendants(pid)):
        kilobytes = _proportional(each)
        whole += kilobytes
        title = _title(each)
        application = title.removeprefix(_REPLICA).partition(":")[0]
        if title.startswith(_REPLICA) and is_ours(application):
            counter = shared if is_shared(application) else backends
            counter[deployment_of(application)] += kilobytes
    return ServiceMemory(round(whole / 1024), _megabytes(backends), _megabytes(shared))


def _megabytes(kilobytes: Mapping[str, int]) -> dict[str, int]:
    return {name: round(count / 1024) for name, count in kilobytes.items()}


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # the process ended, or belongs to somebody else
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _title(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return command.partition(b"\0")[0].decode("utf-8", "replace").strip()
