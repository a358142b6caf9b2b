"""A person's texts and consent, as a data set and a wish; and what is done when it is withdrawn."""

import datetime as dt
import shutil
import time
from pathlib import Path

from router.ledger import Line
from router.models.registry import Registry, Shelf
from router.models.twin import Consent, asks_in
from router.request.language import language
from router.training.data_card import content_of
from router.training.data_query import DataRefused, checked_name
from router.training.data_rows import SPLITS, DataRow, Message
from router.training.data_sets import DataSet, DataSets
from router.training.model_changes import Refused
from router.training.scrubbing import scrubbed

_KINDS = (".txt", ".md")
_LONGEST = 100_000  # characters of a text
_DAYS = 365
_LEAST_WORDS = 4


def consent_of(person: str, words: str, scope: str, until: str, now: dt.datetime) -> Consent:
    """The consent that a command gives; `words` may name a file that holds them. Raises
    `DataRefused` if it does not say whose voice it is for, or is over."""
    path = Path(words)
    if len(words) < 4096 and "\n" not in words and path.is_file():
        words = path.read_text("utf-8", "replace")
    words = words.strip()
    if not person.strip():
        raise DataRefused("--of is empty: name the person whose voice it is, as in --of 'Ann Lee'")
    if person.casefold() not in words.casefold() or len(words.split()) < _LEAST_WORDS:
        raise DataRefused(
            f"--consent {words[:60]!r} does not name {person}: give the person's own words, such "
            f"as 'I, {person}, agree that a program writes as I do', or a file with them"
        )
    try:
        last = dt.date.fromisoformat(until) if until else (now + dt.timedelta(_DAYS)).date()
    except ValueError:
        raise DataRefused(f"--until {until!r} is no date: write it as 2027-01-31") from None
    if last < now.date():
        raise DataRefused(f"--until {until} is over: a consent needs an end that is to come")
    return Consent(person, words, scope, now.isoformat(timespec="seconds"), last.isoformat())


def texts_set(sets: DataSets, name: str, folder: Path) -> DataSet:
    """The texts of a folder as the next version of a data set, in the order of their names: three
    fifths and a fifth to learn from, and a fifth to measure by."""
    checked_name(name)
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _KINDS and p.is_file())
    texts = [path.read_text("utf-8", "replace").strip()[:_LONGEST] for path in paths]
    texts = [text for text in texts if text]
    if not texts:
        raise DataRefused(f"--texts {folder} holds no {' or '.join(_KINDS)} file with words")
    at = time.time_ns() // 1000
    ask = asks_in(language(" ".join(texts)))
    rows = [
        DataRow(f"text-{n}", at + n, (Message("user", ask),), text, 1.0, "demonstration")
        for n, text in enumerate(texts)
    ]
    rows, _ = scrubbed(rows)  # what else is in a letter is nobody's voice
    cuts = [0, len(rows) * 3 // 5, len(rows) * 4 // 5, len(rows)]
    split = {part: tuple(rows[cuts[n] : cuts[n + 1]]) for n, part in enumerate(SPLITS)}
    content = content_of(split)
    with sets.locked():
        latest = sets.latest(name)
        if latest is not None and [r.answer for r in latest.everything] == [r.answer for r in rows]:
            return latest
        version = (latest.version if latest else 0) + 1
        card = {"name": name, "version": version, "query": {"texts": len(texts)}, **content}
        sets.write(DataSet(name, version, card, split), {"texts": len(texts)})
    return sets.load(name, version)


def texts_name(name: str) -> str:
    return f"{name}-texts"


def withdraw_consent(registry: Registry, sets: DataSets, runs: Path, name: str) -> int:
    """End a twin: it refuses at once, and its files, texts and runs are removed. The number of
    versions that it had. A second call removes what a killed one left. Raises `Refused` if it is no
    twin, or `NoSuchModel`."""
    digests: list[str] = []

    def decide(shelf: Shelf) -> list[Line]:
        model = shelf.models.get(name)
        if model is not None and model.withdrawn:
            digests.extend(model.withdrawn_files)
            return []
        if model is None or not model.versions:
            shelf.version(name)  # says which models there are
        assert model is not None
        if any(version.kind != "twin" for version in model.versions.values()):
            mend = f"`waggle models remove {name}` removes it"
            raise Refused(f"{name} is no twin, and nobody's consent is needed for it: {mend}")
        digests.extend(version.digest for version in model.versions.values())
        number = max(model.versions)
        return [{"do": "consent withdrawn", "name": name, "version": number, "at": time.time()}]

    registry.follow()
    registry.change(decide)
    for digest in digests:
        shutil.rmtree(registry.files / digest, ignore_errors=True)
    with sets.locked():
        shutil.rmtree(sets.folder / texts_name(name), ignore_errors=True)
    for folder in runs.glob(f"{name}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    return len(digests)
