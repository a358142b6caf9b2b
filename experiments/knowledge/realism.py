"""`python -m experiments.knowledge.realism CASES [--unseen]`: are made records like real ones?

CASES is a folder of cases whose author had not seen the code: shapes with examples, and half-filled
records. The judge is the sentence encoder: the mean vector of each concept's values, from lists
(`judge_values.json`) that the shipped tables do not use. A made value is typical if, of all
concepts, the mean of its own is nearest. How often the judge finds the values typical that a
careful person wrote (`good`) says what the judge is worth. Nothing but figures is printed.
"""

import argparse
import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from router.backends.enricher_backend import EnricherBackend
from router.backends.generator_backend import GeneratorBackend
from router.backends.protocol import Backend
from router.config.backends import EnricherSettings, GeneratorSettings
from router.domain import CHAT, Call
from router.encoding.encoder import installed_with_waggle
from router.encoding.home import encoder_of

RESULT = Path(__file__).parent / "realism.json"
_HOME = str(installed_with_waggle() / "encoders")
_SEED = 11
Tally = dict[str, list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--unseen", action="store_true", help="the cases kept aside; writes result")
    options = parser.parse_args()
    part = "unseen" if options.unseen else "seen"
    judge = Judge(_read(options.cases / "judge_values.json"))
    made = generated(_read(options.cases / f"generate_{part}.json"), judge)
    filled = completed(_read(options.cases / f"enrich_{part}.json"), judge)
    figures = {"cases": part, "generator": made, "enricher": filled}
    print(json.dumps(figures, indent=2))
    if options.unseen:
        RESULT.write_text(json.dumps(figures, indent=2) + "\n")


class Judge:
    """The nearest concept of a value."""

    def __init__(self, lists: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._encoder = encoder_of(None, _HOME)
        self.concepts = list(lists)
        means = [self._mean([v for side in lists[name].values() for v in side]) for name in lists]
        self._means = np.stack(means)

    def typical(self, concept: str, value: Any) -> bool:
        vector = self._encoder.encode([_text(value)])[0]
        return self.concepts[int(np.argmax(self._means @ vector))] == concept

    def _mean(self, values: Sequence[Any]) -> Any:
        mean = self._encoder.encode([_text(value) for value in values]).mean(axis=0)
        return mean / np.linalg.norm(mean)


def generated(cases: Sequence[Mapping[str, Any]], judge: Judge) -> dict[str, Any]:
    backend = GeneratorBackend(GeneratorSettings(kind="generator", encoders=_HOME))
    tally: Tally = defaultdict(lambda: [0, 0])
    for case in cases:
        wanted = {key: case[key] for key in ("shape", "examples", "count")} | {"seed": _SEED}
        rows = answered(backend, wanted)
        for name, expected in case["expect"].items():
            for row in rows:
                _count(tally, "judged", expected, _at(row, name), judge)
            for row in case["good"]:
                _count(tally, "careful_person", expected, _at(row, name), judge)
        _count_rules(tally, case, rows)
    return _shares(tally)


def completed(cases: Sequence[Mapping[str, Any]], judge: Judge) -> dict[str, Any]:
    backend = EnricherBackend(EnricherSettings(kind="enricher", encoders=_HOME))
    tally: Tally = defaultdict(lambda: [0, 0])
    for case in cases:
        whole = {key: value for row in case["examples"] for key, value in row.items()}
        rows = answered(
            backend,
            {
                "shape": _shape(whole),
                "records": case["given"],
                "examples": case["examples"],
                "seed": _SEED,
            },
        )
        for given, missing, blank, row in zip(
            case["given"], case["missing"], case["stay_empty"], rows, strict=True
        ):
            for name in given:
                same = orjson.dumps(row.get(name)) == orjson.dumps(given[name])
                tally["given_kept"][0] += same
                tally["given_kept"][1] += 1
            tally["fields_added"][0] += len(set(row) - set(whole))
            tally["fields_added"][1] += len(row)
            for name in missing:
                value = _at(row, name)
                if name in blank:
                    tally["left_empty"][0] += value is None
                    tally["left_empty"][1] += 1
                elif name in case["expect"]:
                    _count(tally, "judged", case["expect"][name], value, judge)
        _count_rules(tally, case, rows)
    return _shares(tally)


def _shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """A shape with these fields; a text is the word `string`, so that no example is shown twice."""
    return {
        key: "string" if isinstance(value, str) else "date" if value is None else value
        for key, value in row.items()
    }


def _count(tally: Tally, what: str, expected: Mapping[str, Any], value: Any, judge: Judge) -> None:
    if what == "judged":
        tally["form"][0] += _has_form(expected, value)
        tally["form"][1] += 1
    concept = expected["concept"]
    if concept in judge.concepts:
        tally[f"{what}_typical"][0] += judge.typical(concept, value)
        tally[f"{what}_typical"][1] += 1
        if not isinstance(value, int | float):  # numbers of all concepts look alike to an encoder
            tally[f"{what}_typical_texts"][0] += judge.typical(concept, value)
            tally[f"{what}_typical_texts"][1] += 1


def _has_form(expected: Mapping[str, Any], value: Any) -> bool:
    low_high, pattern = expected["range"], expected["pattern"]
    if low_high and not (isinstance(value, int | float) and low_high[0] <= value <= low_high[1]):
        return False
    if pattern and not re.search(pattern, str(value)):
        return False
    return not expected.get("one_of") or str(value) in expected["one_of"]


def _count_rules(tally: Tally, case: Mapping[str, Any], rows: Sequence[Any]) -> None:
    """The rules of a case are Python, written by the cases' author."""
    for rule in case["coherent"]:
        for row in rows:
            try:
                holds = bool(eval(rule["check"], {"r": row}))
            except Exception:
                holds = False
            tally["coherent"][0] += holds
            tally["coherent"][1] += 1


def answered(backend: Backend, fields: Mapping[str, Any]) -> list[Any]:
    async def answer() -> bytes:
        call = Call(CHAT, orjson.dumps({"messages": [], **fields}), False, "r")
        async with backend.send(call) as reply:
            return b"".join([piece async for piece in reply.body])

    text = orjson.loads(asyncio.run(answer()))["choices"][0]["message"]["content"]
    rows: list[Any] = orjson.loads(text)
    return rows


def _at(row: Mapping[str, Any], name: str) -> Any:
    value: Any = row
    for part in [name] if name in row else name.split("."):
        value = value[part] if isinstance(value, Mapping) and part in value else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _shares(tally: Tally) -> dict[str, Any]:
    return dict(_rows(tally))


def _rows(tally: Tally) -> Iterator[tuple[str, Any]]:
    for name, (count, of) in sorted(tally.items()):
        yield name, {"of": of, "count": count, "share": round(count / of, 3) if of else None}


def _read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


if __name__ == "__main__":
    main()
