"""`waggle demo --weeks 12` lives through all of its weeks, whatever happens to its trials."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import orjson
import pytest

from router.demo.weeks import weeks

USUAL = (files("router.demo") / "weeks.yaml").read_text()
SMALL = {
    "shadow_requests: 60": "shadow_requests: 10",
    "step_requests: 60": "step_requests: 10",
    "most_requests: 6000": "most_requests: 100",
}


def lived(folder: Path, requests: int, seed: int, config: str):
    """The rows of twelve weeks, and the lines of their book."""
    file = folder / "weeks.yaml"
    file.write_text(config)
    rows = weeks(12, requests=requests, seed=seed, data=folder / "data", config_file=file)
    book = folder / "data" / "trials" / "ledger.jsonl"
    lines = [orjson.loads(line) for line in book.read_bytes().splitlines()]
    assert [row["week"] for row in rows] == list(range(1, 13))
    assert {row["requests"] for row in rows} == {requests}
    assert min(row["quality"] for row in rows) > 0.5  # all plans answer
    assert not [line for line in lines if line["do"] == "trouble"]
    assert not [line for line in lines if line["do"] == "note" and line["what"] == "failed"]
    return rows, lines


def ended(lines):
    return Counter(line["state"] for line in lines if line["do"] == "state")


@pytest.mark.slow
def test_twelve_small_weeks_are_lived_to_the_end_and_their_trials_end(tmp_path):
    config = USUAL
    for usual, small in SMALL.items():
        assert usual in config
        config = config.replace(usual, small)
    _, lines = lived(tmp_path, 70, 1, config)
    assert ended(lines)["running"] >= 1  # a function left its shadow
    assert ended(lines)["kept"] + ended(lines)["adopted"] >= 2
    assert not ended(lines)["vetoed"]  # a distilled function makes no errors of its own


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
def test_twelve_whole_weeks_are_lived_to_the_end(tmp_path, seed):
    """With seed 2, functions were vetoed since another trial had taken their plans away."""
    rows, lines = lived(tmp_path, 1000, seed, USUAL)
    assert {row["serving"] for row in rows} != {"always-large-records"}
    assert ended(lines)["adopted"] >= 1
    assert not ended(lines)["vetoed"]
