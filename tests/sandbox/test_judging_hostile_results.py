"""Judging a result costs a bounded time, whatever the program returned in place of columns."""

import time
from typing import Any

import numpy as np
import pytest

from sandbox.document import write_document
from sandbox.figure_programs import METHODS
from sandbox.records import json_text
from sandbox.request import read
from sandbox.spec import Analysis, Correlation, Distribution, Field, Spec
from sandbox.verify import verify

CPU_SECONDS = 5.0  # unbounded, the first of these took minutes or all memory


def spec_of(text: str) -> Spec:
    spec = read(text).spec
    assert spec is not None
    return spec


AGES = spec_of("Generate 5000 ages from N(35, 12)")
PAIR = Spec(
    kind="generate",
    count=5000,
    fields=(Field("x", "number"), Field("y", "number")),
    correlations=(Correlation("x", "y", 0.5),),
)
MEAN = spec_of("the mean of 3, 5 and 9")
WIDE = {f"c{i}": 1 for i in range(100_000)}


@pytest.mark.parametrize(
    ("spec", "result", "says"),
    [
        (AGES, [WIDE, *[{}] * 100_000], "100001 records of 100000 fields are too many"),
        (AGES, WIDE, "age missing"),
        (AGES, {"age": np.ones((5000, 800))}, "age has 2 dimensions"),
        (PAIR, {"x": np.ones((5000, 400)), "y": np.ones((5000, 400))}, "x has 2 dimensions"),
        (AGES, {"age": [[1]] * 5000}, "age has 2 dimensions"),
        (AGES, {"age": [[]] * 5000}, "age has 2 dimensions"),
        (AGES, {"age": [10**4000] * 5000}, "too large"),
        (AGES, {"age": [float("nan")] * 5000}, "not finite"),
        (AGES, {"age": [None] * 5000}, "not finite"),
        (AGES, {"age": ["x" * 1000] * 5000}, "cannot be read"),
        (AGES, {"age": [{}] * 5000}, "age missing"),
        (AGES, {"age": ["35.5"] * 5000}, "age holds no numbers"),
        (AGES, {"age": [True] * 5000}, "age holds no numbers"),
        (AGES, {"age": [35.5, None, "35.5"] * 1666 + [1, 2]}, "age holds texts"),
        (AGES, {"age": np.array(["2024-01-01"] * 5000, dtype="datetime64[D]")}, "no numbers"),
        (AGES, {"age": np.arange(-(2**52), 2**52, 2**53 // 5000)[:5000]}, "age: "),
        (AGES, {"age": 7}, "cannot be read"),
        (AGES, {"\x1b[2J\u202e" * 99: [1]}, "\\x1b[2J\\u202e"),
        (AGES, "x" * 1_000_000, "not columns"),
        (MEAN, {"mean": [1.0] * 300_000}, "more than 100000 figures"),
        (MEAN, {"mean": np.ones(4_000_000)}, "more than 100000 figures"),
        (MEAN, {"mean": np.array([np.nan])}, "not finite"),
        (MEAN, {"mean": 10**4000}, "too large"),
        (MEAN, {"p_value": 1e308, "mean": 17 / 3}, "not a probability"),
        (MEAN, WIDE | {"mean": 17 / 3}, "more than 100000 figures"),
    ],
)
def test_a_result_that_is_no_answer_is_refused_soon_and_in_few_words(
    spec: Spec, result: Any, says: str
):
    begun = time.process_time()
    verdict = verify(spec, result)
    assert time.process_time() - begun < CPU_SECONDS
    assert not verdict.holds
    words = "; ".join(f"{check.name}: {check.detail}" for check in verdict.failed)
    assert says in words
    assert len(words) < 2000
    assert words.isprintable()


def test_many_labels_are_counted_in_one_pass():
    labels = tuple(f"label {i}" for i in range(3000))
    of = Distribution("choice", {}, labels=labels, weights=(1 / 3000,) * 3000)
    column = Field("kind", "category", distribution=of)
    spec = Spec(kind="generate", count=300_000, fields=(column,))
    begun = time.process_time()
    drawn = np.random.default_rng(5).choice(labels, 300_000).tolist()
    assert verify(spec, {"kind": drawn}).holds
    assert time.process_time() - begun < CPU_SECONDS


def test_integers_beyond_64_bits_are_written_whole():
    assert json_text({"a": [10**30, "é"]}) == '{"a":[1000000000000000000000000000000,"é"]}'
    figures = write_document(MEAN, {"mean": 17 / 3, "product": 10**30})
    assert '"product":1000000000000000000000000000000' in figures


_LONG = 8000
_COLUMNS = np.random.default_rng(2).normal(35, 12, (2, _LONG)).tolist()
_GIVEN: dict[str, dict[str, Any]] = {
    "quantile": {"q": 0.9},
    "trimmed_mean": {"cut": 0.1},
    "moving_average": {"window": 3},
    "percentile_rank": {"value": 3.0},
    "greatest_change": {"falling": False, "percent": False},
    "outliers": {"rule": "iqr", "limit": 1.5},
    "weighted_mean": {"weights": "b"},
    "margin_of_error": {"level": 0.9},
    "ci_paired": {"level": 0.9},
    "ci_difference": {"level": 0.9},
    **{name: {"low": 1.0} for name in ("count_where", "percentage_where", "proportion_where")},
}


@pytest.mark.parametrize("method", METHODS)
def test_no_figure_of_a_long_column_keeps_its_judge_busy(method: str):
    analysis = Analysis(method, ("a", "b"), "", _GIVEN.get(method, {}))
    data = dict(zip("ab", map(tuple, _COLUMNS), strict=True))
    begun = time.process_time()
    verdict = verify(Spec(kind="analyse", analyses=(analysis,), data=data), {method: -1.5})
    assert time.process_time() - begun < CPU_SECONDS
    assert not verdict.holds
    assert "no judge works this out again" not in "; ".join(c.detail for c in verdict.failed)
