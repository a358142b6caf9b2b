"""Measures what escalating within agents' sessions saves. `make bench-agents`

python -m experiments.agents.run [--seeds 2] [--sessions 1000] [--part 0/1] [--publish]

Runs are kept in a file as they end, and a run that is there is not played again.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.agents.players import STRONG, WEAK, Always, Player, Rule, Waggle
from experiments.agents.playing import play
from experiments.agents.report import figures, readme_table
from experiments.agents.world import tasks
from experiments.readme import put
from router.catalog import Price, look_up

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FIRST_SEED = 100  # The design was chosen on lower seeds.
PAIRS = {
    "Claude Haiku 4.5 and Opus 4.5": (
        "https://api.anthropic.com/v1",
        ("claude-haiku-4-5", "claude-opus-4-5"),
    ),
    "GPT-5 mini and GPT-5": ("https://api.openai.com/v1", ("gpt-5-mini", "gpt-5")),
}
WAGGLE, RULE = "Waggle", "rule"


@dataclass(frozen=True, slots=True)
class Job:
    pair: str
    seed: int
    sessions: int


def jobs(seeds: int, sessions: int) -> Iterator[Job]:
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for pair in PAIRS:
            yield Job(pair, seed, sessions)


def prices_of(pair: str) -> dict[str, Price]:
    url, models = PAIRS[pair]
    prices = {}
    for plan, model in zip((WEAK, STRONG), models, strict=True):
        facts = look_up(model, url)
        assert facts is not None, model
        assert facts.price is not None, model
        prices[plan] = facts.price
    return prices


def backends_of(prices: Mapping[str, Price]) -> dict[str, dict[str, Any]]:
    """A backend for each model, at the prices of the catalog."""
    return {
        plan: {
            "kind": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "model": plan,
            "price": price.model_dump(include={"input", "output", "cached_input", "cache_write"}),
        }
        for plan, price in prices.items()
    }


def played(job: Job) -> dict[str, Any]:
    prices, sessions = prices_of(job.pair), list(tasks(job.sessions, job.seed))
    waggle = Waggle(backends_of(prices), job.seed)
    players: dict[str, Player] = {
        WEAK: Always(WEAK),
        STRONG: Always(STRONG),
        RULE: Rule(),
        WAGGLE: waggle,
    }
    with threadpool_limits(1):
        runs = {
            name: [asdict(session) for session in play(sessions, player, prices, job.seed)]
            for name, player in players.items()
        }
    waggle.close()
    return asdict(job) | {"runs": runs, "strategies": dict(waggle.strategies)}


def main() -> None:
    options = _options()
    part, parts = map(int, options.part.split("/"))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for number, job in enumerate(jobs(options.seeds, options.sessions)):
        if number % parts == part and not _is_kept(job, options.out):
            run = played(job)
            with options.out.open("a") as file:
                file.write(json.dumps(run) + "\n")
            print(job, run["strategies"], flush=True)
    result = {pair: figures(_kept(options.out), pair) for pair in PAIRS}
    print(readme_table(result))
    if options.publish:
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        put("agents", readme_table(result))


def _kept(path: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _is_kept(job: Job, path: Path) -> bool:
    return any(run.items() >= asdict(job).items() for run in _kept(path))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, default=2, help="worlds; Waggle begins each knowing nothing")
    add("--sessions", type=int, default=1_000, help="sessions of each world")
    add("--part", default="0/1", help="which part of the runs to play, as 0/2 and 1/2")
    add("--out", type=Path, default=ROOT / "var" / "agents" / "runs.jsonl")
    add("--publish", action="store_true", help="write result.json and the table of the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
