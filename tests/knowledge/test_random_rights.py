"""Random histories of grants, keys and stores, against the model of the issue's words."""

import pytest

from experiments.knowledge.grants.run import MUST_BE_ZERO, lived


@pytest.mark.parametrize("seed", [90_001, 90_002, 90_003])
def test_no_reader_gets_what_the_model_bars(seed: int) -> None:
    counts = lived(seed, grants=30)
    assert counts["questions"] > 300
    assert {name: counts.get(name, 0) for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
