"""Whole migrations from many trades: each record comes out as a careful person expects."""

from pathlib import Path

import orjson
import pytest

from experiments.knowledge.migrating import score

CASES = orjson.loads((Path(__file__).parent / "migrations.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_comes_out_as_expected(case):
    figures = score([case], None)
    assert figures["right"] == figures["records"]
    assert (figures["asked"], figures["asked_needlessly"]) == (int(case["ambiguous"]), 0)
