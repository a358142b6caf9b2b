"""Snapshots of the learner as files: numbered, checked, pinned, gone back to, put aside.

A name begins with a number that only grows, so the latest is known without opening any. What cannot
be read is moved away and told of; it is never deleted, and never used.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from router.files import alone, append_lines, write_whole

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    path: Path

    @property
    def number(self) -> int:
        return int(self.name.partition("-")[0])


class Registry:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._policies = folder / "policies"
        self._aside = folder / "aside"

    def versions(self) -> list[Version]:
        """Oldest first."""
        found = []
        for path in self._policies.glob("*" + _SUFFIX):
            version = Version(path.name.removesuffix(_SUFFIX), path)
            with contextlib.suppress(ValueError):
                found.append((version.number, version))
        return [version for _, version in sorted(found, key=lambda one: (one[0], one[1].name))]

    def find(self, name: str) -> Version:
        """By its name, or the beginning of it that only one has."""
        hits = [v for v in self.versions() if v.name == name] or [
            v for v in self.versions() if v.name.startswith(name)
        ]
        if len(hits) == 1:
            return hits[0]
        known = ", ".join(version.name for version in self.versions()[-10:]) or "none yet"
        what = f"{len(hits)} snapshots begin with" if hits else "there is no snapshot"
        raise LookupError(f"{what} {name!r}. Known: {known}")

    def keep(self, content: bytes) -> Version:
        known = self.versions()
        number = known[-1].number + 1 if known else 1
        name = f"{number:06d}-{blake2b(content, digest_size=4).hexdigest()}"
        path = self._policies / (name + _SUFFIX)
        write_whole(path, content)
        return Version(name, path)

    def put_aside(self, version: Version) -> Path:
        self._aside.mkdir(parents=True, exist_ok=True)
        return version.path.rename(self._aside / version.path.name)

    def prune(self, most: int) -> None:
        """The oldest go, and never the pinned one."""
        versions, pinned = self.versions(), self.pinned
        for version in versions[: max(len(versions) - most, 0)]:
            if version.name != pinned:
                version.path.unlink(missing_ok=True)

    @property
    def pinned(self) -> str:
        """The snapshot that decides, whatever is learned meanwhile; usually none."""
        with contextlib.suppress(OSError):
            return (self._folder / "pinned").read_text().strip()
        return ""

    def pin(self, name: str) -> None:
        write_whole(self._folder / "pinned", f"{name}\n".encode())

    def unpin(self) -> None:
        (self._folder / "pinned").unlink(missing_ok=True)

    def go_back(self, name: str) -> None:
        """Ask the learner to go on from this snapshot; it does so at its next turn."""
        write_whole(self._folder / "back", f"{name}\n".encode())

    def wanted_back(self) -> str:
        with contextlib.suppress(OSError):
            return (self._folder / "back").read_text().strip()
        return ""

    def went_back(self) -> None:
        (self._folder / "back").unlink(missing_ok=True)

    def taught(self) -> list[str]:
        """What `waggle warm` brought, by name."""
        return sorted(path.stem for path in (self._folder / "warm").glob("*.json"))

    def lesson(self, name: str) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            told: dict[str, Any] = orjson.loads(
                (self._folder / "warm" / f"{name}.json").read_bytes()
            )
            return told
        return None

    # What was read, batch by batch: a line each, so that all of it can be gone through again.

    def log(self, line: dict[str, Any]) -> None:
        with alone(self._folder / "batches.jsonl") as handle:
            append_lines(handle, orjson.dumps(line) + b"\n")

    def logged(self) -> Iterator[dict[str, Any]]:
        """From the first; a line that was cut when its writer was killed was not acted upon."""
        try:
            content = (self._folder / "batches.jsonl").read_bytes()
        except OSError:
            return
        for line in content.split(b"\n")[:-1]:
            with contextlib.suppress(orjson.JSONDecodeError):
                yield orjson.loads(line)
