"""Changes of the registry of models: decided on its latest lines, and durable when they return."""

import shutil
import time
from collections.abc import Mapping
from typing import Any

from router.ledger import Line
from router.models import model_files
from router.models.card import BrokenModel, Card
from router.models.registry import Registry, Shelf, Version, parsed


class Refused(ValueError):
    """A change that the registry does not allow; the message names the rule and the mend."""


def register(
    registry: Registry, card: Card, files: Mapping[str, bytes], *, promote: bool
) -> tuple[Card, str]:
    """Add the next version of a model; its files are whole before the registry names them.

    A model that the same run made before is not added again."""
    registry.follow()
    model = registry.book.models.get(card.name)
    before = [v for v in model.versions.values() if v.run == card.run] if model else []
    if before:
        return model_files.opened(registry.files, before[-1].digest)[0], before[-1].digest
    made, digest = card, ""

    def decide(shelf: Shelf) -> list[Line]:
        nonlocal made, digest
        here = shelf.models.get(card.name)
        number = here.next_version if here else 1
        parent = f"{card.name}@{here.promoted}" if here and here.promoted else ""
        fields = {name: getattr(card, name) for name in Card.__slots__}
        digest, made = model_files.add(
            registry.files, Card(**{**fields, "version": number, "parent": parent}), files
        )
        line = _line("registered", card.name, number)
        lines = [{**line, "digest": digest, "kind": card.kind, "run": card.run}]
        return [*lines, _line("promoted", card.name, number)] if promote else lines

    registry.change(decide)
    return made, digest


def promote(registry: Registry, reference: str, *, anyway: bool = False) -> Card:
    """Let a version answer under the model's name, if it passed and its files can be opened."""
    name, version = _version(registry, reference)
    card, _ = model_files.opened(registry.files, version.digest)
    failing = str(card.metrics.get("why") or "")
    if failing and not anyway:
        raise Refused(
            f"{card.reference} did not pass: {failing}. Train it on more rows, or promote it with "
            f"--anyway"
        )

    def decide(shelf: Shelf) -> list[Line]:
        if shelf.models[name].promoted == version.number:
            raise Refused(f"{card.reference} is promoted already")
        return [_line("promoted", name, version.number)]

    registry.change(decide)
    return card


def rollback(registry: Registry, name: str) -> int:
    """Let the version answer that was promoted before the present one, and return its number."""

    def decide(shelf: Shelf) -> list[Line]:
        model = shelf.models.get(name)
        if model is None or not model.versions:
            shelf.version(name)  # says which models there are
        assert model is not None
        if len(model.promotions) < 2:
            now = f"{name}@{model.promoted} is" if model.promoted else "nothing is"
            raise Refused(f"{now} promoted, and nothing was before it: promote another version")
        return [_line("rolled back", name, model.promotions[-2])]

    registry.change(decide)
    promoted = registry.book.models[name].promoted
    assert promoted is not None
    return promoted


def withdraw(registry: Registry, reference: str) -> bool:
    """Take a promoted version back, so that the version before it is promoted again, or none; False
    if another version is promoted."""
    name, number = parsed(reference)
    withdrawn = False

    def decide(shelf: Shelf) -> list[Line]:
        nonlocal withdrawn
        model = shelf.models.get(name)
        if model is None or number is None or model.promoted != number:
            return []
        withdrawn = True
        return [_line("rolled back", name, model.promotions[-2] if model.promotions[1:] else 0)]

    registry.change(decide)
    return withdrawn


def remove(registry: Registry, reference: str) -> list[int]:
    """Remove a version, or all versions of a model, with its files; a promoted version only with
    all others."""
    name, number = parsed(reference)

    def decide(shelf: Shelf) -> list[Line]:
        shelf.version(reference if number else _any_of(shelf, name))
        model = shelf.models[name]
        if number is not None and model.promoted == number:
            mend = f"promote another, or remove all of it with `waggle models remove {name}`"
            raise Refused(f"{name}@{number} answers requests now: {mend}")
        numbers = sorted(model.versions) if number is None else [number]
        return [_line("removed", name, each) for each in numbers]

    registry.follow()
    model = registry.book.models.get(name)
    digests = {n: version.digest for n, version in model.versions.items()} if model else {}
    lines = registry.change(decide)
    gone = [int(line["version"]) for line in lines if line["do"] == "removed"]
    kept = {v.digest for m in registry.book.models.values() for v in m.versions.values()}
    for each in gone:
        if digests.get(each, "") and digests[each] not in kept:
            shutil.rmtree(registry.files / digests[each], ignore_errors=True)
    return gone


def cards(registry: Registry) -> list[tuple[Card | None, Version, str, bool]]:
    """Every version: its card (None if its files cannot be read), its name, whether it answers."""
    registry.follow()
    rows = []
    for name, model in sorted(registry.book.models.items()):
        for number, version in sorted(model.versions.items()):
            try:
                card: Card | None = model_files.opened(registry.files, version.digest)[0]
            except BrokenModel:
                card = None
            rows.append((card, version, name, model.promoted == number))
    return rows


def _version(registry: Registry, reference: str) -> tuple[str, Version]:
    """The version of a reference; a name alone means its latest version."""
    registry.follow()
    _, number = parsed(reference)
    shelf = registry.book
    return shelf.version(reference if number else _any_of(shelf, reference))


def _any_of(shelf: Shelf, name: str) -> str:
    """The latest version of a model by its reference."""
    model = shelf.models.get(name)
    return f"{name}@{max(model.versions)}" if model and model.versions else name


def _line(do: str, name: str, version: int) -> dict[str, Any]:
    return {"do": do, "name": name, "version": version, "at": time.time()}
