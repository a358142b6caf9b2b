"""Whether each kind of request of a world becomes one pattern.

The kinds are hidden from what finds patterns. Requests are read, and looked at again and again, as
a router and the learner do; what a model would answer plays no part.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from experiments.growth.worlds import planted, stationary
from router.domain import Reading
from router.encoding.home import encoder_of
from router.growth.clusters import SeenRequest
from router.growth.finding import step_of
from router.growth.pattern_book import PatternBook
from router.growth.window import MOST_REQUESTS
from router.request.lens import ENOUGH, Lens, fitted
from router.request.patterns import own_terms
from router.request.plain import plain
from router.request.reading import reading_of
from router.request.terms import terms

REQUESTS = 2_000
_MEASURED = 1_000  # the requests after these are counted
_GOOD = 0.9
Row = dict[str, Any]


def of_patterns(seed: int) -> Row:
    """Patterns of the planted and of the stationary world, by words, and with meaning, too."""
    worlds = {"planted": planted.World(seed, REQUESTS), "stationary": stationary.World(seed)}
    return {
        "seed": seed,
        **{name: found_in(world.stream[:REQUESTS]) for name, world in worlds.items()},
        "planted_meant": found_in(worlds["planted"].stream, vectors=True),
    }


def found_in(stream: Sequence[Any], *, vectors: bool = False) -> Row:
    """How well the patterns fit the kinds of a stream, and how soon each kind had a pattern."""
    readings = [
        reading_of({"messages": [{"role": "user", "content": each.text}]}) for each in stream
    ]
    requests = _seen(readings, vectors=vectors)
    book, labels, next_look = PatternBook(), list[str](), 100
    patterns = book.patterns
    for at, request in enumerate(requests, 1):
        labels.append(patterns.of(request.terms, request.meaning, request.language))
        if at == next_look:
            window = requests[max(0, at - MOST_REQUESTS) : at]
            book, _ = book.after(window, int(vectors), float(at))
            patterns, next_look = book.patterns, at + step_of(len(window))
    return _counted([each.kind for each in stream], labels)


def _seen(readings: Sequence[Reading], *, vectors: bool) -> list[SeenRequest]:
    """The requests as the learner sees them; their meaning only once a lens was fitted."""
    if not vectors:
        return [SeenRequest(own_terms(reading)) for reading in readings]
    encoder = encoder_of(None, None)
    encoded = encoder.encode([plain(reading.last_words) for reading in readings])
    first = readings[:ENOUGH]
    lens: Lens = fitted(
        [terms(reading.words) for reading in first],
        [vector.tolist() for vector in encoded[:ENOUGH]],
        [reading.kinds for reading in first],
    )
    return [
        SeenRequest(
            own_terms(reading),
            lens.view(reading.words, vector.tolist()).vec if at >= ENOUGH else None,
            language=reading.language,
        )
        for at, (reading, vector) in enumerate(zip(readings, encoded, strict=True))
    ]


def _counted(kinds: Sequence[str], labels: Sequence[str]) -> Row:
    rows: dict[str, Row] = {}
    late = Counter(zip(kinds[_MEASURED:], labels[_MEASURED:], strict=True))
    sizes = Counter(labels[_MEASURED:])
    for kind in sorted(set(kinds)):
        own = {label: n for (of, label), n in late.items() if of == kind}
        total = sum(own.values())
        if kind == "background":
            continue
        main = max((label for label in own if label), key=lambda label: own[label], default="")
        rows[kind] = {
            "completeness": round(own.get(main, 0) / max(total, 1), 3) if main else 0.0,
            "purity": round(own[main] / sizes[main], 3) if main else 0.0,
            "requests_before": _before(kind, main, kinds, labels),
        }
    background = sum(n for (of, _), n in late.items() if of == "background")
    return {
        "kinds": rows,
        "good": sum(min(r["completeness"], r["purity"]) >= _GOOD for r in rows.values()),
        "completeness": round(sum(r["completeness"] for r in rows.values()) / len(rows), 3),
        "purity": round(sum(r["purity"] for r in rows.values()) / len(rows), 3),
        "background_in_none": round(late["background", ""] / max(background, 1), 3),
        "patterns": len(set(labels[_MEASURED:]) - {""}),
    }


def _before(kind: str, pattern: str, kinds: Sequence[str], labels: Sequence[str]) -> int | None:
    """The requests of a kind before the first that its pattern got; None if it has none."""
    if not pattern:
        return None
    first = next(at for at, each in enumerate(zip(kinds, labels, strict=True))
                 if each == (kind, pattern))  # fmt: skip
    return Counter(kinds[:first])[kind]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0", help="seeds of the worlds, with commas between")
    for seed in map(int, parser.parse_args().seeds.split(",")):
        for name, row in of_patterns(seed).items():
            if name != "seed":
                print(seed, name, json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
