"""Random kills never lose, double or reorder an acknowledged row."""

from tests.telemetry.soak import soak


def test_kills_lose_nothing_and_no_reader_notices(tmp_path):
    result = soak(tmp_path, kills=22, seed=20261120, writers=3, readers=3)
    assert result.problems == []
    assert result.kills == 22
    assert result.looks > 20
    assert result.rows > 1000
