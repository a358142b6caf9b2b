"""A query that would never end is ended, and the next one is answered."""

import pytest

from dashboard import source
from dashboard.source import QueryFailed, Source


def test_a_query_that_takes_too_long_is_ended_and_the_next_is_answered(story, monkeypatch):
    monkeypatch.setattr(source, "_LONGEST_SECONDS", 0.5)
    asked = Source(story)
    with pytest.raises(QueryFailed, match=r"longer than 0.5 s: choose a shorter time"):
        asked.ask("select sum(hash(i)) from range(1000000000000) t(i)")
    assert asked.ask("select 1 as one").rows == [{"one": 1}]
    asked.close()
