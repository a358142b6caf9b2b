"""`python -m experiments.knowledge.migrating CASES`: are records migrated as a person would?

CASES is a JSON file of cases whose author had not seen the code: records, a schema, for each record
the new one that a careful person expects (null: it cannot be migrated without inventing), and
whether that person would ask first. A case whose records become one by group holds a list of the
new records. Numbers count as equal within 0.005. Nothing but figures is printed.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson

from router.encoding.encoder import installed_with_waggle
from router.encoding.home import encoder_of
from router.records.migrating.applying import migrated
from router.records.migrating.grouping import gathered, groups_of
from router.records.migrating.mapping import FieldMapping, as_json, from_json
from router.records.migrating.matching import mapping_for
from router.records.migrating.meaning import Nearness

RESULT = Path(__file__).parent / "migrating.json"
_HOME = str(installed_with_waggle() / "encoders")
_CLOSE = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--write", action="store_true", help="write the result file")
    parser.add_argument("--encoders", default=_HOME, help="the folder of sentence encoders")
    options = parser.parse_args()
    figures = score(orjson.loads(options.cases.read_bytes()), nearness(options.encoders))
    print(json.dumps(figures, indent=2))
    if options.write:
        RESULT.write_text(json.dumps(figures, indent=2) + "\n")


def nearness(home: str) -> Nearness:
    """The cosine of two texts by the sentence encoder."""
    encoder = encoder_of(None, home)

    @cache
    def vector(text: str) -> Any:
        return encoder.encode([text])[0]

    return lambda left, right: float(vector(left) @ vector(right)) if left and right else 0.0


def score(cases: Sequence[Mapping[str, Any]], near: Nearness | None) -> dict[str, Any]:
    """How many records came out right, wrong or not at all, and where a question was asked."""
    figures = dict.fromkeys(
        ("records", "right", "wrong", "lost", "ambiguous", "asked", "clear", "asked_needlessly"), 0
    )
    for case in cases:
        mapping = mapping_for(case["records"], case["schema"], near)
        asks = bool(mapping.questions)
        figures["ambiguous" if case["ambiguous"] else "clear"] += 1
        if case["ambiguous"]:
            figures["asked"] += asks
            continue
        figures["asked_needlessly"] += asks
        figures["records"] += len(case["expected"])
        if asks:
            continue
        for made, wanted in zip_longest(made_of(mapping, case["records"]), case["expected"]):
            right = same(made, wanted)
            figures["right"] += right
            figures["wrong"] += not right and made is not None
            figures["lost"] += not right and made is None
    shares = {
        f"{key}_share": _share(figures[key], figures["records"]) for key in ("right", "wrong")
    }
    return {**figures, **shares}


def _share(count: int, of: int) -> float:
    return round(count / of, 3) if of else 0.0


def made_of(mapping: FieldMapping, records: Sequence[Any]) -> list[Any]:
    """What the mapping, written down and read again, makes of each record or group."""
    kept = from_json(orjson.loads(orjson.dumps(as_json(mapping))))
    if kept.group_by:
        groups = groups_of(kept, enumerate(records))
        return [gathered(kept, [record for _, record in group]).record for group in groups]
    return [migrated(kept, record).record for record in records]


def same(made: Any, wanted: Any) -> bool:
    """Whether two values are the same; a field that is null is as good as one that is absent."""
    if isinstance(made, dict) and isinstance(wanted, dict):
        return all(same(made.get(key), wanted.get(key)) for key in {*made, *wanted})
    if isinstance(made, list) and isinstance(wanted, list):
        return len(made) == len(wanted) and all(map(same, made, wanted))
    if isinstance(made, bool) or isinstance(wanted, bool):
        return made is wanted
    if isinstance(made, int | float) and isinstance(wanted, int | float):
        return abs(made - wanted) <= _CLOSE
    return bool(made == wanted)


if __name__ == "__main__":
    main()
