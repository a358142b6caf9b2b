"""The learner's files: numbered snapshots, the name of the pinned snapshot, lessons, and a log.

The name of a snapshot begins with a number that only grows, so the latest snapshot is found without
opening a file. A snapshot that cannot be read is moved aside: it is neither used nor deleted.
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
    """The name of a snapshot, such as `000012-9f86d081`, and its file."""

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
        """All snapshots, from the oldest to the latest."""
        versions = []
        for path in self._policies.glob("*" + _SUFFIX):
            version = Version(path.name.removesuffix(_SUFFIX), path)
            with contextlib.suppress(ValueError):
                versions.append((version.number, version.name, version))
        return [version for *_, version in sorted(versions)]

    def find(self, name: str) -> Version:
        """The snapshot with this name, or the only snapshot whose name begins with this text."""
        versions = self.versions()
        hits = [version for version in versions if version.name == name] or [
            version for version in versions if version.name.startswith(name)
        ]
        if len(hits) == 1:
            return hits[0]
        names = ", ".join(version.name for version in versions[-10:]) or "none yet"
        what = f"{len(hits)} snapshots begin with" if hits else "there is no snapshot"
        raise LookupError(f"{what} {name!r}. Known: {names}")

    def keep(self, content: bytes) -> Version:
        versions = self.versions()
        number = versions[-1].number + 1 if versions else 1
        name = f"{number:06d}-{blake2b(content, digest_size=4).hexdigest()}"
        path = self._policies / (name + _SUFFIX)
        write_whole(path, content)
        return Version(name, path)

    def put_aside(self, version: Version) -> Path:
        self._aside.mkdir(parents=True, exist_ok=True)
        return version.path.rename(self._aside / version.path.name)

    def prune(self, most: int) -> None:
        """Delete the oldest snapshots, except the pinned snapshot."""
        versions, pinned = self.versions(), self.pinned
        for version in versions[: max(len(versions) - most, 0)]:
            if version.name != pinned:
                version.path.unlink(missing_ok=True)

    @property
    def pinned(self) -> str:
        """The name of the snapshot whose policy decides while learning goes on; usually empty."""
        return self._note("pinned")

    def pin(self, name: str) -> None:
        write_whole(self._folder / "pinned", f"{name}\n".encode())

    def unpin(self) -> None:
        (self._folder / "pinned").unlink(missing_ok=True)

    def go_back(self, name: str) -> None:
        """Ask the learner to return to this snapshot at its next turn."""
        write_whole(self._folder / "back", f"{name}\n".encode())

    def wanted_back(self) -> str:
        return self._note("back")

    def went_back(self) -> None:
        (self._folder / "back").unlink(missing_ok=True)

    def lessons(self) -> list[str]:
        """The names of the lessons that `waggle warm` wrote."""
        return sorted(path.stem for path in (self._folder / "warm").glob("*.json"))

    def lesson(self, name: str) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            lesson: dict[str, Any] = orjson.loads(
                (self._folder / "warm" / f"{name}.json").read_bytes()
            )
            return lesson
        return None

    def log(self, line: dict[str, Any]) -> None:
        """Append to the log of everything that the learner read; `logged` reads the log back."""
        with alone(self._folder / "batches.jsonl") as handle:
            append_lines(handle, orjson.dumps(line) + b"\n")

    def logged(self) -> Iterator[dict[str, Any]]:
        """All lines of the log. A line that a kill cut off had no effect yet, so it is skipped."""
        try:
            content = (self._folder / "batches.jsonl").read_bytes()
        except OSError:
            return
        for line in content.split(b"\n")[:-1]:
            with contextlib.suppress(orjson.JSONDecodeError):
                yield orjson.loads(line)

    def _note(self, name: str) -> str:
        with contextlib.suppress(OSError):
            return (self._folder / name).read_text().strip()
        return ""
