"""`python -m experiments.reuse.verifier.pairs`: make the training pairs of the pair verifier.

The pairs come from public data (`reuse_pairs_dev.parquet`) and from rules that change a question
(`edits.py`). The same seed gives the same pairs. No pair of the blind suites is among them.
"""

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
from rich.progress import track

from experiments.reuse.verifier import edits
from router.config.environment import environment
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.reuse.guards import compare

HERE = Path(__file__).parent
_LEAST, _MOST = 0.35, 0.8  # the cosines between which two words are used alike and differ
_FREQUENT = 5  # uses of a word in all questions, at least
_DEV = 12  # of so many questions, the pairs of one are held out
_SOURCES = {
    "qqp": 1.0,
    "stsb_train": 0.5,
    "stsb_dev": 0.5,
    "mrpc_train": 0.25,
    "mrpc_val": 0.25,
    "gsmplus": 0.5,
}


def alike(questions: Sequence[str], encoder: Encoder) -> dict[str, list[str]]:
    """For each frequent word, words that are used like it and mean something else."""
    counts: Counter[str] = Counter()
    for question in questions:
        words = [word.strip("?.,!\"'()").lower() for word in question.split()]
        counts.update(words[n] for n in edits.content(words) if words[n].isalpha()) if all(
            words
        ) else None
    words = sorted(word for word, count in counts.items() if count >= _FREQUENT and len(word) > 2)
    vectors = encoder.encode(words)
    cosines = vectors @ vectors.T
    result = {}
    for n, word in enumerate(words):
        near = np.argsort(-cosines[n])[1:60]
        result[word] = [
            words[m]
            for m in near
            if _LEAST <= cosines[n, m] <= _MOST
            and words[m][:4] != word[:4]
            and _ending(words[m]) == _ending(word)
        ][:12]
    return result


def _ending(word: str) -> str:
    return next((end for end in ("ing", "ed", "ly", "s") if word.endswith(end)), "")


def _pick(
    rules: Mapping[str, tuple[edits.Edit, float]], text: str, chance: Random
) -> tuple[str, str]:
    """The name of a rule that applies, and the changed text; empty if none applies."""
    names, weights = list(rules), [weight for _, weight in rules.values()]
    for _ in range(12):
        name = chance.choices(names, weights)[0]
        changed = rules[name][0](text, chance)
        if changed and _bare(changed) != _bare(text):
            return name, changed
    return "", ""


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


def _row(a: str, b: str, label: float, weight: float, kind: str) -> dict[str, Any]:
    """A pair. The verifier will see what no guard refuses; other pairs teach it a little."""
    if compare(a, b).likeness != "open":
        weight *= 0.4
    return {"a": a, "b": b, "label": label, "weight": weight, "kind": kind}


def _turned(row: dict[str, Any], chance: Random) -> dict[str, Any]:
    """The pair, half of the time with its second request first."""
    return row if chance.random() < 0.5 else row | {"a": row["b"], "b": row["a"]}


def made(
    rows: Sequence[Mapping[str, Any]], encoder: Encoder, seed: int
) -> Iterator[dict[str, Any]]:
    chance = Random(seed)
    questions = sorted(
        {
            t.strip()
            for row in rows
            if row["source"] == "qqp"
            for t in (row["text_a"], row["text_b"])
        }
    )
    different, same = edits.different(alike(questions, encoder)), edits.same()
    for row in rows:
        a, b, label = row["text_a"].strip(), row["text_b"].strip(), row["label"]
        weight = _SOURCES[row["source"]]
        if label == 1 and row["source"] == "qqp":
            if _numbers(a) != _numbers(b):
                continue  # the people who labelled these pairs were lenient
            label = 0.95
            for _ in range(2):
                name, changed = _pick(different, b, chance)
                if name:
                    first, second = (a, changed) if chance.random() < 0.5 else (changed, a)
                    yield _row(first, second, 0, 1.0, f"paraphrase+{name}")
            name, changed = _pick(same, b, chance)
            if name:
                yield _row(a, changed, 0.95, 1.0, f"paraphrase+{name}")
        yield _row(a, b, label, weight, row["source"])
    for question in track(questions, "changing questions"):
        if not 12 <= len(question) <= 200:
            continue
        name, changed = _pick(different, question, chance)
        if name:
            _, again = _pick(same, changed, chance) if chance.random() < 0.6 else ("", "")
            pair = (question, again or changed)
            yield _turned(_row(*pair, 0, 1.0, name), chance)
        name, changed = _pick(same, question, chance)
        if name:
            more, again = _pick(same, changed, chance) if chance.random() < 0.6 else ("", "")
            pair = (question, again or changed)
            kind = f"{name}+{more}" if again else name
            yield _turned(_row(*pair, 1, 0.7, kind), chance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path(environment("WAGGLE_DATA", "../shared/data"))
    )
    parser.add_argument("--out", type=Path, default=Path("var/reuse/pairs.jsonl.gz"))
    parser.add_argument("--seeds", default="1,2", help="each makes another set of pairs")
    options = parser.parse_args()
    encoder = Encoder(prepared(packaged_model(), Path("var/reuse/encoders")))
    table = pl.read_parquet(options.data / "reuse_pairs_dev.parquet").filter(
        pl.col("label").is_not_null()
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    with gzip.open(options.out, "wt") as file:
        for seed in options.seeds.split(","):
            for row in made(table.to_dicts(), encoder, int(seed)):
                counts[row["kind"]] += 1
                file.write(json.dumps(row) + "\n")
    print(sum(counts.values()), "pairs;", counts.most_common(12))


if __name__ == "__main__":
    main()
