"""What telemetry says of patterns, where the world has changed."""

import pytest

from router.growth.traffic import HALF_LIFE, Traffic
from router.trials.logged import LoggedTelemetry
from tests.telemetry.stored import NOON, Stored, request, signal


def test_later_answers_count_more_and_other_patterns_stand_in_for_few(tmp_path):
    stored = Stored(tmp_path)
    rows = [
        request(NOON + n * 1000, plan="x", pattern="p1" if n % 2 else None)
        for n in range(2 * HALF_LIFE)
    ]
    stored.write("requests", rows)
    stored.write(
        "signals",
        [signal(row, float(n >= HALF_LIFE)) for n, row in enumerate(rows) if n % 2],
    )
    traffic = Traffic.read(LoggedTelemetry(tmp_path))
    stored.close()
    assert (traffic.total, traffic.patterns["p1"].share) == (2 * HALF_LIFE, 0.5)
    record = traffic.patterns["p1"].plans["x"]
    assert (record.n, record.judged) == (HALF_LIFE, HALF_LIFE)
    assert record.quality == pytest.approx(2 / 3, abs=0.01)  # the later half counts twice as much
