"""The data sets of the replay: files of outcomes, sets made of them, and their halves.

A set is split in two by a hash of the prompt. Everything is chosen on the half `dev`; the half
`held` is for one look at the end.
"""

import os
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np

from experiments.replay.outcomes import BFCL_POOL, Matrix, Outcomes, read_table
from router.encoding.encoder import Encoder, packaged_model, prepared
from router.request.plain import plain

Half = Literal["dev", "held", "all"]
DEV_SETS = (
    *("llmrouter", "reasoning_gym_easy", "bfcl_july", "bfcl_24"),
    *("routellm_mmlu", "near_equal"),
)
_ROOT = Path(__file__).parent.parent.parent
_MOST = 3_000  # prompts of a large set that are replayed
_MOST_ENCODED = 2_000  # characters of a prompt


def _pool(whole: Outcomes) -> Outcomes:
    return whole.only([n for n, arm in enumerate(whole.arms) if arm in BFCL_POOL], "bfcl_july")


def _near_equal(whole: Outcomes) -> Outcomes:
    """The five best models of the pool at one price: only quality differs, by some hundredths."""
    close = np.argsort(-whole.quality.mean(axis=0), kind="stable")[:5]
    five = whole.only(close.tolist(), "near_equal")
    return replace(five, cost=np.full(five.cost.shape, 0.001), notes=("one price for all models",))


def _every_other(whole: Outcomes) -> Outcomes:
    """24 models of every quality and price."""
    order = np.argsort(whole.quality.mean(axis=0), kind="stable")
    spread = np.linspace(0, len(order) - 1, 24).round().astype(int)
    return whole.only(sorted(order[spread].tolist()), "bfcl_24")


_MADE: dict[str, tuple[str, Callable[[Outcomes], Outcomes]]] = {
    "bfcl_july": ("bfcl_july", _pool),
    "near_equal": ("bfcl_july", lambda whole: _near_equal(_pool(whole))),
    "bfcl_24": ("bfcl_july", _every_other),
}
_SHORT = {"bfcl_24": 500}  # the most prompts of a set


def add_places(parser: ArgumentParser) -> None:
    """The options `--data` and `--cache`, with defaults from the environment."""
    data = os.environ.get("WAGGLE_DATA", str(_ROOT.parent / "shared" / "data"))
    cache = os.environ.get("WAGGLE_REPLAY_CACHE", str(_ROOT / "var" / "replay"))
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of data sets")
    parser.add_argument(
        "--cache", type=Path, default=Path(cache), help="folder for vectors and features"
    )


def load(name: str, data: Path, cache_folder: Path, half: Half = "all", most: int = 0) -> Outcomes:
    """A set by its name, or by the path of its table. `most` bounds its prompts; 0: no bound."""
    base, made = _MADE.get(name, (name, None))
    whole = _whole(base, data, cache_folder)
    outcomes = whole if made is None else made(whole)
    kept = [at for at, prompt in enumerate(outcomes.prompts) if half in ("all", half_of(prompt))]
    bound = min(most or len(kept), _SHORT.get(name, len(kept) if half == "all" else _MOST))
    if len(kept) > bound:
        chance = np.random.default_rng(len(kept))
        kept = sorted(chance.permutation(kept)[:bound].tolist())
    return outcomes.at(kept)


def half_of(prompt: str) -> Half:
    digest = blake2b(prompt.encode("utf-8", "replace"), digest_size=1).digest()
    return "dev" if digest[0] % 2 else "held"


@cache
def _whole(name: str, data: Path, cache_folder: Path) -> Outcomes:
    path = Path(name) if Path(name).suffix else data / f"{name}.parquet"
    models = _priced(path) if path.stem == "bfcl_july" else ()
    outcomes = read_table(path, data / "prices.csv", models=models)
    return replace(outcomes, vectors=_vectors(outcomes, cache_folder))


def _priced(path: Path) -> tuple[str, ...]:
    """The models of a table that has costs for some models only."""
    import polars as pl

    if not path.is_file():
        return ()
    shares = pl.read_parquet(path).group_by("model").agg(pl.col("cost_usd").is_not_null().mean())
    return tuple(shares.filter(pl.col("cost_usd") >= 0.9)["model"])


def _vectors(outcomes: Outcomes, cache_folder: Path) -> Matrix:
    """Sentence vectors of the prompts, cached in a file, because the encoder needs minutes."""
    prompts = outcomes.prompts
    digest = blake2b(
        "\0".join(map(plain, prompts)).encode("utf-8", "replace"), digest_size=6
    ).hexdigest()
    path = cache_folder / f"{outcomes.name}-{digest}-vectors.npy"
    if path.is_file():
        kept: Matrix = np.load(path)
        return kept
    cache_folder.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(prepared(packaged_model(), cache_folder / "encoders"))
    rows = [encoder.encode([plain(prompt[:_MOST_ENCODED])])[0] for prompt in prompts]
    vectors = np.asarray(rows, dtype=np.float32)
    np.save(path, vectors)
    return np.asarray(vectors)
