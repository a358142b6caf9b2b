"""Measures judging: which wrong results are accepted, and which right ones are refused.

`python -m experiments.statistics.judging` prints the tables; `run.py` writes them with the rest.
Wrong samples are those of the study that led to these judges, and a few that cheat more cleverly.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import Progress
from scipy import special

from experiments.readme import table
from experiments.statistics.right_columns import right_table
from sandbox.request import read
from sandbox.spec import Distribution, Field, Spec
from sandbox.synthesis import write_program
from sandbox.verify import verify
from tests.sandbox.impossible import IMPOSSIBLE
from tests.sandbox.paraphrases import PARAPHRASES

MEAN, SD = 35.0, 12.0
SIZES = (10, 50, 100, 300, 1000)
_RIGHT_SIZES = (1, 3, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200, 500, 1000, 1000, 2000, 10_000)
_COLUMNS = (1, 2, 3, 6)
_SEEDS = 100  # of each of our own programs

Values = npt.NDArray[np.float64]
Sample = Callable[[np.random.Generator, int], Values]


def _grid(n: int) -> Values:
    return np.asarray(MEAN + SD * special.ndtri((np.arange(n) + 0.5) / n))


def _jittered(rng: np.random.Generator, n: int) -> Values:
    return rng.permutation(MEAN + SD * special.ndtri((np.arange(n) + rng.random(n)) / n))


def _following(rng: np.random.Generator, n: int) -> Values:
    """Each value correlates with the value before by 0.5."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = 0.5 * noise[i - 1] + 0.75**0.5 * noise[i]
    return MEAN + SD * noise


def _blocks(rng: np.random.Generator, n: int) -> Values:
    return np.tile(rng.normal(MEAN, SD, n // 5), 5)


WRONG: Mapping[str, Sample] = {
    "mean 37 for 35": lambda rng, n: rng.normal(37, SD, n),
    "sd 14 for 12": lambda rng, n: rng.normal(MEAN, 14, n),
    "sd 18 for 12": lambda rng, n: rng.normal(MEAN, 18, n),
    "uniform": lambda rng, n: rng.uniform(MEAN - 20.8, MEAN + 20.8, n),
    "sorted": lambda rng, n: np.sort(rng.normal(MEAN, SD, n)),
    "quantile grid": lambda _, n: _grid(n),
    "quantile grid, shuffled": lambda rng, n: rng.permutation(_grid(n)),
    "one value from each of n equal parts": _jittered,
    "block of n/5, five times": _blocks,
    "neighbours that correlate by 0.5": _following,
    "one outlier": lambda rng, n: np.append(rng.normal(MEAN, SD, n - 1), 1000.0),
}


def wrong_samples(repetitions: int, advance: Callable[[], None]) -> dict[str, dict[str, float]]:
    """The share of samples of each wrong kind that are accepted, by size."""
    of = Distribution("normal", {"mean": MEAN, "sd": SD})
    accepted: dict[str, dict[str, float]] = {}
    for kind, sample in WRONG.items():
        accepted[kind] = {}
        for n in SIZES:
            rng, spec = np.random.default_rng(n), Spec(count=n, fields=(Field("x", "number", of),))
            verdicts = [verify(spec, {"x": sample(rng, n)}) for _ in range(repetitions)]
            accepted[kind][str(n)] = sum(verdict.holds for verdict in verdicts) / repetitions
            advance()
    return accepted


def right_tables(count: int, advance: Callable[[], None]) -> dict[str, Any]:
    """How many tables of right columns are refused, over families, bounds, roundings and sizes."""
    rng, refused, checks = np.random.default_rng(0), 0, 0
    for _ in range(count):
        n = int(rng.choice(_RIGHT_SIZES))
        fields, columns = right_table(rng, n, int(rng.choice(_COLUMNS)))
        verdict = verify(Spec(count=n, fields=fields), columns)
        refused += not verdict.holds
        checks += sum(check.p_value is not None for check in verdict.checks)
        advance()
    return {"tables": count, "tests": checks, "refused": refused}


def own_programs(seeds: int, advance: Callable[[], None]) -> dict[str, int]:
    """How many results of our own programs are refused, each program with several seeds."""
    tried = refused = 0
    for text, _ in PARAPHRASES:
        advance()
        spec = read(text).spec
        if spec is None or spec.kind != "generate":
            continue
        source = write_program(spec, seed=1).source.replace("default_rng()", "default_rng(SEED)")
        program = compile(source, "program", "exec")
        for seed in range(seeds if spec.count <= 2000 else seeds // 20):
            names: dict[str, Any] = {"SEED": seed}
            exec(program, names)  # our own program, so it is not hostile
            tried += 1
            refused += not verify(spec, names["result"]).holds
    return {"results": tried, "refused": refused}


def impossible_results() -> dict[str, int]:
    accepted = 0
    for text, result in IMPOSSIBLE:
        spec = read(text).spec
        accepted += spec is not None and verify(spec, result).holds
    return {"tried": len(IMPOSSIBLE), "accepted": accepted}


def cpu_of_a_verdict(repetitions: int = 200) -> float:
    """Milliseconds of CPU to judge 1000 records of three columns."""
    rng = np.random.default_rng(7)
    fields, columns = right_table(rng, 1000, 3)
    spec = Spec(count=1000, fields=fields)
    verify(spec, columns)
    begun = time.process_time()
    for _ in range(repetitions):
        verify(spec, columns)
    return 1000 * (time.process_time() - begun) / repetitions


def judging(*, repetitions: int = 400, tables: int = 20_000, seeds: int = _SEEDS) -> dict[str, Any]:
    with Progress() as progress:
        total = len(WRONG) * len(SIZES)
        wrong = progress.add_task("wrong samples", total=total)
        right = progress.add_task("right tables", total=tables)
        ours = progress.add_task("own programs", total=len(PARAPHRASES))
        return {
            "repetitions": repetitions,
            "accepted": wrong_samples(repetitions, lambda: progress.advance(wrong)),
            "impossible": impossible_results(),
            "right": right_tables(tables, lambda: progress.advance(right)),
            "own": own_programs(seeds, lambda: progress.advance(ours)),
            "verdict_cpu_ms": cpu_of_a_verdict(),
        }


def judging_table(result: Mapping[str, Any]) -> str:
    rows = [
        [kind, *(f"{share:.1%}" for share in by_size.values())]
        for kind, by_size in result["accepted"].items()
    ]
    right, own, impossible = result["right"], result["own"], result["impossible"]
    summary = (
        f"The share of {result['repetitions']} wrong samples that is accepted, by the number of "
        f"values. {impossible['accepted']} of {impossible['tried']} impossible figures are "
        f"accepted. {right['refused']} of {right['tables']:,} right tables are refused, and "
        f"{own['refused']} of {own['results']:,} results of Waggle's own programs. Judging 1000 "
        f"records of three columns takes {result['verdict_cpu_ms']:.1f} ms of CPU."
    )
    return f"{table(['wrong sample', *(f'n = {n}' for n in SIZES)], rows)}\n\n{summary}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", action="store_true", help="a short run, to see that it works")
    few = parser.parse_args().few
    result = judging(repetitions=20, tables=400, seeds=2) if few else judging()
    print(judging_table(result))


if __name__ == "__main__":
    main()
