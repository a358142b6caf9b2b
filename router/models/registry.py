"""Which models there are, which version of each is promoted, and where its files are.

The registry is a file of lines that only grows. A line is durable before anything acts on it, so a
process that is killed at any moment leaves the last promoted model in place.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from router.ledger import LedgerFile, Line

LEDGER, FILES = "ledger.jsonl", "files"


class NoSuchModel(LookupError):
    """No such model is registered or promoted; the message names it and the way to get it."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, and the name of the folder with its files."""

    number: int
    digest: str
    kind: str
    at: float
    run: str = ""


@dataclass(slots=True)
class Registered:
    """All versions of a model. `promotions` are the versions that were promoted, the latest last;
    a rollback takes the latest away."""

    versions: dict[int, Version] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    promotions: list[int] = field(default_factory=list)
    withdrawn: bool = False  # whether the person whom it was a twin of took back their consent
    withdrawn_files: set[str] = field(default_factory=set)  # of the versions that this ended

    @property
    def promoted(self) -> int | None:
        return self.promotions[-1] if self.promotions else None

    @property
    def next_version(self) -> int:
        return max([0, *self.versions, *self.removed]) + 1


class Shelf:
    """What the lines of the registry add up to."""

    def __init__(self) -> None:
        self.models: dict[str, Registered] = {}

    def fold(self, line: Line) -> None:
        name, number = str(line.get("name", "")), line.get("version")
        if not name or not isinstance(number, int):
            return
        model = self.models.setdefault(name, Registered())
        match line.get("do"):
            case "registered":
                model.withdrawn = False
                model.versions[number] = Version(
                    number,
                    str(line["digest"]),
                    str(line["kind"]),
                    float(line["at"]),
                    str(line.get("run", "")),
                )
            case "promoted" if number in model.versions:
                model.promotions.append(number)
            case "rolled back" if model.promotions:
                model.promotions.pop()
            case "consent withdrawn":
                model.withdrawn_files.update(each.digest for each in model.versions.values())
                model.removed.update(model.versions)
                model.versions.clear()
                model.promotions.clear()
                model.withdrawn = True
            case "removed":
                model.versions.pop(number, None)
                model.removed.add(number)
                model.promotions = [each for each in model.promotions if each != number]

    def version(self, reference: str) -> tuple[str, Version]:
        """The version that `NAME` or `NAME@3` means; `NAME` means the promoted version."""
        name, number = parsed(reference)
        model = self.models.get(name)
        if model is not None and model.withdrawn:
            raise NoSuchModel(f"{name}: its person withdrew their consent, and it writes no more")
        if model is None or not model.versions:
            names = ", ".join(n for n, each in self.models.items() if each.versions) or "none"
            mend = f"train it with `waggle models train {name} --data SET`"
            raise NoSuchModel(f"no model is called {name} (there is {names}): {mend}")
        if number is None:
            number = model.promoted
            if number is None:
                mend = f"`waggle models promote {name}@{max(model.versions)}`"
                raise NoSuchModel(f"no version of {name} is promoted: {mend}")
        if number not in model.versions:
            there = ", ".join(f"{name}@{each}" for each in sorted(model.versions))
            gone = "was removed" if number in model.removed else "was never made"
            raise NoSuchModel(f"{name}@{number} {gone}: there is {there}")
        return name, model.versions[number]


class Registry(LedgerFile[Shelf]):
    """The registry in a folder, as the lines read so far have it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / LEDGER, Shelf())
        self.files = folder / FILES

    def find(self, reference: str) -> tuple[str, Version]:
        """The newest state of what a reference means."""
        self.follow()
        return self.book.version(reference)


Decide = Callable[[Shelf], list[Line]]


def parsed(reference: str) -> tuple[str, int | None]:
    """The name and the version in `NAME` or `NAME@3`."""
    name, mark, number = reference.partition("@")
    if mark and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise NoSuchModel(f"{reference!r}: after @ stands a version's number, as in {name}@3")
    return name, int(number) if mark else None
