"""Measures whether a prompt and its paraphrase get the same kind, neighbourhood, rung and plan.

    python -m experiments.kinds.run [--half dev|held] [--data DIR] [--out FILE]

Paraphrases are made by rule (`perturb.py`). The learner that chooses plans learned on other prompts
of llmrouter, without tags, as the service runs it (`experiments/replay/service.py`).
"""

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor  # type: ignore[import-untyped]
from sklearn.model_selection import KFold, cross_val_predict  # type: ignore[import-untyped]

from experiments import readme
from experiments.kinds.perturb import Language, paraphrases
from experiments.kinds.report import readme_table, score_table
from experiments.kinds.spanish import PROMPTS as SPANISH
from experiments.replay import sets
from experiments.replay.outcomes import Matrix, Outcomes
from experiments.replay.playing import Conditions, play
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import stream_of
from learner.policy import Arm
from router.api.parse import parse_chat
from router.config.config import Config
from router.config.objective import LadderSettings
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.plans.compiled import Plans
from router.request.context import NAMES
from router.request.lens import ENOUGH, Lens, fitted
from router.request.plain import plain
from router.request.terms import terms
from router.routing.case import Case, Features, Surroundings, case_of
from router.routing.deciders import by_bandit
from router.routing.ladder import ladder_of

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
_TESTED = 150  # prompts of each set and half
_TAUGHT = 1_500  # prompts of llmrouter that a learner learned from
_LEARNERS = 3
_SCORED = 3_000  # prompts of a set on which the score is judged
_MOST_ENCODED = 2_000  # characters
_NEAR, _FAR = NAMES.index("near"), NAMES.index("far")
_RUNGS = ladder_of(LadderSettings(), ["tiny", "small", "large", "huge"])
_PLANS = Plans(
    Config.model_validate(
        {
            "backends": {"any": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
            "plans": {"any": {"ask": "any"}},
        }
    )
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Prompts of a set: those that its lens is fitted to, and those that are tested."""

    name: str
    language: Language
    fitted: Sequence[str]
    tested: Sequence[str]


class Vectors:
    """Sentence vectors of texts, kept in a file."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "kinds-vectors.npz"
        self._encoder = Encoder(prepared(packaged_model(), cache / "encoders"))
        self._kept: dict[str, Any] = {}
        if self._path.is_file():
            with np.load(self._path) as kept:
                self._kept = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def __getitem__(self, text: str) -> list[float]:
        key = blake2b(plain(text).encode("utf-8", "replace"), digest_size=12).hexdigest()
        if key not in self._kept:
            vector = self._encoder.encode([plain(text[:_MOST_ENCODED])])[0]
            self._kept[key] = np.asarray(vector, dtype=np.float32)
        vector = self._kept[key].tolist()
        return vector  # type: ignore[no-any-return]

    def keep(self) -> None:
        np.savez(self._path, keys=list(self._kept), vectors=np.array(list(self._kept.values())))


def main() -> None:
    options = _options()
    measure(options)
    whole = json.loads(options.out.read_text())
    if options.out == HERE / "result.json":
        readme.put("kinds", readme_table(whole))
        readme.put("kinds score", score_table(whole), "kinds")


def measure(options: argparse.Namespace) -> None:
    vectors = Vectors(options.cache)
    outcomes = sets.load("llmrouter", options.data, options.cache, options.half)
    order = np.random.default_rng(0).permutation(len(outcomes.prompts)).tolist()
    taught = outcomes.at(order[:_TAUGHT])
    choosers = [Chooser(outcomes, taught, seed, options.cache) for seed in range(_LEARNERS)]
    measured = {}
    for sample in _samples(options, [outcomes.prompts[at] for at in order[_TAUGHT:]]):
        lens = fitted(
            [terms(p) for p in sample.fitted],
            [vectors[p] for p in sample.fitted],
            [_request(p).reading.kinds for p in sample.fitted],
        )
        unseen = options.half == "held"
        measured[sample.name] = _measured(sample, lens, vectors, choosers, unseen=unseen)
        print(sample.name, json.dumps(measured[sample.name]), flush=True)
        vectors.keep()
    for chooser in choosers:
        chooser.player.close()
    result = {"half": options.half, "learners": _LEARNERS, "sets": measured}
    result["score"] = dict(_scores(options))
    print(json.dumps(result["score"]))
    whole = json.loads(options.out.read_text()) if options.out.is_file() else {}
    whole[options.name or options.half] = result
    options.out.write_text(json.dumps(whole, indent=1) + "\n")


class Chooser:
    """A learner that learned from a shuffled stream of prompts, and chooses plans."""

    def __init__(self, outcomes: Outcomes, taught: Outcomes, seed: int, cache: Path) -> None:
        stream = stream_of(taught, seed, tagged=False, cache=cache)
        self.player = Waggle(stream, Setup(guarded=False))
        play(stream, self.player, Conditions())
        assert stream.lens is not None
        self.lens = stream.lens
        worth = outcomes.quality - 0.1 * outcomes.dearness
        self._worth = dict(zip(outcomes.prompts, worth, strict=True))

    def choice(self, text: str, vector: Sequence[float]) -> int:
        """The likeliest plan: its place among the models of the set."""
        arms = [Arm(name) for name in self.player.plans.names]
        around = Surroundings(policy_version="kinds", lens=self.lens, vector=vector)
        features = _features(text, self.lens, vector)
        case = Case(self.player.plans, _request(text), around, arms, {}, features)
        odds = by_bandit(case, self.player.policy).distribution
        return self.player.place_of(max(odds, key=lambda arm: odds[arm]))

    def worth(self, prompt: str, choice: int) -> float | None:
        row = self._worth.get(prompt)
        return None if row is None else float(row[choice])


def _measured(
    sample: Sample, lens: Lens, vectors: Vectors, choosers: Sequence[Chooser], *, unseen: bool
) -> Mapping[str, Mapping[str, float]]:
    """The share of paraphrases, by rule, with the same kind, neighbourhood, rung and plan."""
    same: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    choices: dict[tuple[int, int], int] = defaultdict(int)
    for prompt in sample.tested:
        before, plans = _seen(prompt, lens, vectors), _choices(prompt, vectors, choosers)
        for learner, plan in enumerate(plans):
            choices[learner, plan] += 1
        for rule, text in paraphrases(prompt, sample.language, unseen=unseen):
            after, others = _seen(text, lens, vectors), _choices(text, vectors, choosers)
            for counted in (same[rule], same["all"]):
                for name, value in before.items():
                    counted[name].append(float(value == after[name]))
                for chooser, plan, other in zip(choosers, plans, others, strict=True):
                    counted["choice"].append(float(plan == other))
                    worth, its_worth = chooser.worth(prompt, plan), chooser.worth(prompt, other)
                    if worth is not None and its_worth is not None:
                        counted["worth lost"].append(worth - its_worth)
    table = {
        rule: {name: round(float(np.mean(values)), 4) for name, values in shares.items()}
        | {"n": len(shares["kind"])}
        for rule, shares in same.items()
    }
    # A learner that always chooses one plan would have every choice the same.
    commonest = [max(n for (at, _), n in choices.items() if at == k) for k in range(len(choosers))]
    table["all"]["commonest plan"] = round(float(np.mean(commonest)) / len(sample.tested), 4)
    return table


def _choices(text: str, vectors: Vectors, choosers: Sequence[Chooser]) -> list[int]:
    return [chooser.choice(text, vectors[text]) for chooser in choosers]


def _seen(text: str, lens: Lens, vectors: Vectors) -> dict[str, Any]:
    features, without = _features(text, lens, vectors[text]), _features(text, lens, None)
    arms = _RUNGS.distribution(features.context, _RUNGS.rungs)
    return {
        "kind": features.kind,
        "kind without a vector": without.kind,
        "near": features.numbers[_NEAR],
        "far": features.numbers[_FAR],
        "near without a vector": without.numbers[_NEAR],
        "rung": max(arms, key=lambda arm: arms[arm]),
    }


def _features(text: str, lens: Lens, vector: Sequence[float] | None) -> Features:
    return case_of(_PLANS, _request(text), Surroundings(lens=lens, vector=vector)).features


def _request(text: str) -> Any:
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
    return parse_chat(body.encode(), {}, request_id="kinds", key_id="")


def _samples(options: argparse.Namespace, untaught: Sequence[str]) -> Iterator[Sample]:
    yield Sample("llmrouter", "en", untaught[_TESTED : _TESTED + ENOUGH], untaught[:_TESTED])
    frame = pl.read_parquet(options.data / "routellm_mmlu.parquet", columns=["prompt"])
    yield _sample("routellm_mmlu", "en", frame["prompt"].to_list(), options.half)
    frame = pl.read_parquet(options.data / "requests_dev.parquet", columns=["request"])
    yield _sample("requests_dev", "en", frame["request"].to_list(), options.half)
    yield _sample("spanish", "es", SPANISH, options.half)


def _sample(name: str, language: Language, prompts: Sequence[str], half: str) -> Sample:
    """Tested are prompts of one half. The lens may see any others: it knows no labels."""
    distinct = list(dict.fromkeys(prompts))
    order = np.random.default_rng(1).permutation(len(distinct)).tolist()
    ordered = [distinct[at] for at in order]
    tested = [prompt for prompt in ordered if sets.half_of(prompt) == half][:_TESTED]
    others = [prompt for prompt in ordered if prompt not in set(tested)]
    return Sample(name, language, others[:ENOUGH], tested)


def _scores(options: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, float]]]:
    """How well the ladder's score tells where the strongest model beats the cheapest, and how well
    trees tell it that learned from other prompts, with every model's answer."""
    for name in ("llmrouter", "routellm_mmlu", "bfcl_july", "reasoning_gym_easy"):
        outcomes = sets.load(name, options.data, options.cache, options.half, _SCORED)
        cheap = int(outcomes.dearness.argmin())
        strong = int(outcomes.quality.mean(axis=0).argmax())
        if strong == cheap:
            cheap = int(np.argsort(outcomes.dearness, kind="stable")[1])
        helps = outcomes.quality[:, strong] > outcomes.quality[:, cheap]
        scores = np.array([_score(prompt) for prompt in outcomes.prompts])
        trees = cross_val_predict(
            ExtraTreesRegressor(60, min_samples_leaf=5, max_features=1 / 3, random_state=0),
            np.column_stack([outcomes.vectors @ _axes(outcomes.vectors), scores]),
            helps.astype(float),
            cv=KFold(5, shuffle=True, random_state=0),
        )
        yield (
            name,
            {
                "ladder": round(auc(scores, helps), 4),
                "trees": round(auc(trees, helps), 4),
                "helps": round(float(helps.mean()), 4),
                "n": len(scores),
            },
        )


def _axes(vectors: Matrix) -> Matrix:
    axes: Matrix = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2][:48].T
    return axes


def _score(prompt: str) -> float:
    return case_of(_PLANS, _request(prompt), Surroundings()).features.score.score


def auc(scores: Matrix, positive: NDArray[np.bool_]) -> float:
    """The chance that a positive case has the higher score; equal scores count half."""
    ranks = pl.Series(scores).rank("average").to_numpy()
    count, others = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / max(count * others, 1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("WAGGLE_DATA", str(ROOT.parent / "shared" / "data"))
    add = parser.add_argument
    add("--data", type=Path, default=Path(data), help="folder of data sets")
    add("--cache", type=Path, default=ROOT / "var" / "replay", help="folder for vectors")
    add("--half", choices=("dev", "held"), default="dev", help="the part of each set")
    add("--name", default="", help="the name of this result; default: the half")
    add("--out", type=Path, default=HERE / "result.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
