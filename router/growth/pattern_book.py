"""The patterns that were found, with ids for life, and what a new look at traffic changes. Pure.

A group of requests keeps the id of the pattern to which most of its requests belonged. A pattern
that was split stays two: its requests with the term that divides it are one group, the others
another. A pattern
whose requests went over to another one is merged into that one; a pattern that nobody asks for is
kept for a while, and then forgotten. No id is given twice.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from typing import Any

import orjson

from router.growth.centres import Describing
from router.growth.clusters import LEAST_ALIKE, SeenRequest, grouped
from router.growth.middles import centred, middles_of
from router.growth.splits import Split, divided, relabelled
from router.request.patterns import MOST_PATTERNS, Pattern, Patterns
from router.value import value

FORGOTTEN_SECONDS = 30 * 86_400.0  # a pattern that hardly anybody asks for is kept so long
_INHERITED = 0.4  # the part of a pattern's requests in a group that gets its id
_STILL_USED = 5  # requests of the window by which a pattern counts as asked for
_FORMAT = 2


@value
class KnownPattern:
    """A pattern with its history: when it was found and last asked for, and how many of the latest
    requests belong to it."""

    pattern: Pattern
    found_at: float
    seen_at: float
    alike: int = 0
    spread: float = 0.0
    words: tuple[str, ...] = ()  # that several of its requests used, for its name


@value
class PatternNews:
    """What changed about a pattern: it was found, split off, merged into another, or forgotten."""

    id: str
    state: str
    into: str = ""  # the pattern that it was merged into
    out_of: str = ""  # the pattern that it was split off


@dataclass(frozen=True)
class PatternBook:
    """Every living pattern, and the number of the next one."""

    living: tuple[KnownPattern, ...] = ()
    following: int = 1
    rarity: Mapping[int, float] = field(default_factory=dict)
    rarest: float = 1.0
    lens: int = 0
    middles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)  # by the pattern that was split off
    tests: int = 0  # of terms that might divide a pattern

    @property
    def patterns(self) -> Patterns:
        patterns = tuple(each.pattern for each in self.living)
        weights = sorted(self.rarity.items()), sorted(self.middles.items())
        content = repr((self.lens, patterns, self.rarest, *weights)).encode()
        version = int.from_bytes(blake2b(content, digest_size=6).digest())
        version = version if patterns else 0
        return Patterns(version, patterns, self.rarity, self.rarest, self.lens, self.middles)

    def after(
        self, requests: Sequence[SeenRequest], lens: int, now: float
    ) -> tuple["PatternBook", list[PatternNews]]:
        """The book after a look at the latest requests, and what changed."""
        old = _under(self, lens)
        before = old.patterns
        if before.patterns:
            labels = _labels(before, requests)
        else:  # after the loss of the book: as routers saw the requests
            labels = [request.pattern for request in requests]
        labels = relabelled(labels, requests, self.splits)
        middles = middles_of(requests)
        labelled = centred(requests, labels, middles)
        describing = Describing(labelled)
        groups = describing.refined(grouped(labelled), LEAST_ALIKE)
        groups = divided(groups, labels, requests, self.splits)
        ids, following = _ids(groups, labels, old.following)
        histories = {each.pattern.id: each for each in old.living}
        names = [histories[id_].pattern.name if id_ in histories else id_ for id_ in ids]
        described = describing.patterns(ids, names, groups)
        gone = _merged(histories.keys() - set(ids), groups, ids, labels)
        kept = [
            each.pattern for id_, each in histories.items() if id_ not in ids and id_ not in gone
        ]
        seen = Patterns(1, (*described, *kept), describing.rarity, describing.rarest, lens, middles)
        members: dict[str, list[int]] = {}
        for at, label in enumerate(_labels(seen, requests)):
            members.setdefault(label, []).append(at)
        updated = [
            _with(histories.get(pattern.id), pattern, members.get(pattern.id, []), describing, now)
            for pattern in seen.patterns
        ]
        living = _living(updated, histories.keys(), now)
        rarity, rarest = describing.rarity, describing.rarest
        ids_now = {each.pattern.id for each in living}
        splits = {
            id_: split
            for id_, split in self.splits.items()
            if id_ in ids_now and split.out_of in ids_now
        }
        book = PatternBook(
            tuple(living), following, rarity, rarest, lens, middles, splits, self.tests
        )
        return book, _news(old, book, gone)

    def renamed(self, id_: str, name: str, words: Sequence[str]) -> "PatternBook":
        living = tuple(
            replace(each, pattern=replace(each.pattern, name=name), words=tuple(words))
            if each.pattern.id == id_
            else each
            for each in self.living
        )
        return replace(self, living=living)

    def split(self, id_: str, bucket: int, *, holding: bool) -> "PatternBook":
        """The book in which requests with the term, or without it, leave this pattern for a new
        one, from the next look on."""
        splits = {**self.splits, f"p{self.following}": Split(id_, bucket, holding)}
        return replace(self, splits=splits, following=self.following + 1)

    def numbered(self, following: int) -> "PatternBook":
        return replace(self, following=following)

    def written(self) -> bytes:
        content = {
            "format": _FORMAT,
            **{each.name: getattr(self, each.name) for each in fields(self)},
        }
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def read(cls, content: bytes) -> "PatternBook":
        """Raises `ValueError` if the content is no book of this format."""
        try:
            stored = orjson.loads(content)
            if stored.pop("format") != _FORMAT:
                raise ValueError("it is of another format")
            living = tuple(_history_of(each) for each in stored.pop("living"))
            rarity = _by_bucket(stored.pop("rarity"))
            middles = {name: tuple(each) for name, each in stored.pop("middles").items()}
            splits = {id_: Split(**each) for id_, each in stored.pop("splits", {}).items()}
            return cls(living=living, rarity=rarity, middles=middles, splits=splits, **stored)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is no book of patterns: {error}") from None


def _labels(patterns: Patterns, requests: Sequence[SeenRequest]) -> list[str]:
    return [patterns.of(each.terms, each.meaning, each.language) for each in requests]


def _history_of(fields: dict[str, Any]) -> KnownPattern:
    pattern = fields.pop("pattern")
    pattern["centre"] = _by_bucket(pattern["centre"])
    pattern["meaning"] = tuple(pattern["meaning"])
    fields["words"] = tuple(fields["words"])
    return KnownPattern(Pattern(**pattern), **fields)


def _by_bucket(weights: Mapping[str, float]) -> dict[int, float]:
    return {int(bucket): weight for bucket, weight in weights.items()}


def _under(book: PatternBook, lens: int) -> PatternBook:
    """The book under a lens. A meaning that was seen through another lens says nothing."""
    if book.lens == lens:
        return book
    living = tuple(
        replace(each, pattern=replace(each.pattern, meaning=(), least_meant=1.0))
        for each in book.living
    )
    return replace(book, living=living, lens=lens)


def _ids(
    groups: Sequence[Sequence[int]], labels: Sequence[str], following: int
) -> tuple[list[str], int]:
    """An id for each group: that of the pattern it continues, or a new one."""
    sizes = Counter(label for label in labels if label)
    shared = sorted(
        (
            (count, number, label)
            for number, group in enumerate(groups)
            for label, count in Counter(labels[at] for at in group).items()
            if label and count >= _INHERITED * sizes[label]
        ),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    ids: dict[int, str] = {}
    for _, number, label in shared:
        if number not in ids and label not in ids.values():
            ids[number] = label
    for number in range(len(groups)):
        if number not in ids:
            ids[number] = f"p{following}"
            following += 1
    return [ids[number] for number in range(len(groups))], following


def _merged(
    unmatched: Collection[str],
    groups: Sequence[Sequence[int]],
    ids: Sequence[str],
    labels: Sequence[str],
) -> dict[str, str]:
    """The patterns most of whose requests are now in another one, and which."""
    sizes = Counter(label for label in labels if label)
    into: dict[str, str] = {}
    for id_, group in zip(ids, groups, strict=True):
        for label, count in Counter(labels[at] for at in group).items():
            if label in unmatched and 2 * count > sizes[label]:
                into[label] = id_
    return into


def _with(
    history: KnownPattern | None,
    pattern: Pattern,
    members: Sequence[int],
    describing: Describing,
    now: float,
) -> KnownPattern:
    if history and len(members) < _STILL_USED:
        return replace(history, pattern=pattern, alike=len(members))
    spread = describing.spread(members) if members else 0.0
    found_at, words = (history.found_at, history.words) if history else (now, ())
    return KnownPattern(pattern, found_at, now, len(members), spread, words)


def _living(
    histories: Sequence[KnownPattern], old: Collection[str], now: float
) -> list[KnownPattern]:
    """The patterns that are kept: new ones with enough requests, and the most used others."""
    kept = [
        each
        for each in histories
        if (each.alike >= LEAST_ALIKE or each.pattern.id in old)
        and abs(now - each.seen_at) < FORGOTTEN_SECONDS
    ]
    kept.sort(key=lambda each: (-each.alike, -each.seen_at, each.found_at))
    return sorted(kept[:MOST_PATTERNS], key=lambda each: int(each.pattern.id[1:]))


def _news(old: PatternBook, book: PatternBook, gone: Mapping[str, str]) -> list[PatternNews]:
    before = {each.pattern.id for each in old.living}
    after = {each.pattern.id for each in book.living}
    lost = sorted(before - after)
    return [
        *(
            PatternNews(id_, "split", out_of=book.splits[id_].out_of)
            if id_ in book.splits
            else PatternNews(id_, "found")
            for id_ in sorted(after - before)
        ),
        *(PatternNews(id_, "merged", gone[id_]) for id_ in lost if gone.get(id_) in after),
        *(PatternNews(id_, "forgotten") for id_ in lost if gone.get(id_) not in after),
    ]
