"""Random kills never lose, double or reorder an acknowledged row."""

import pytest

from tests.telemetry.soak import soak


@pytest.mark.parametrize("kills", [2, pytest.param(22, marks=pytest.mark.slow)])
def test_kills_lose_nothing_and_no_reader_notices(tmp_path, kills):
    """`make soak` kills two hundred times."""
    result = soak(tmp_path, kills=kills, seed=20261120, writers=3, readers=3)
    assert result.problems == []
    assert result.kills == kills
    assert result.looks > kills // 2
    assert result.rows > 30 * kills
