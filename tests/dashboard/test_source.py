"""A query that takes too long is ended, and the next query is answered."""

import pytest

from dashboard import source
from dashboard.source import QueryFailed, Source


def test_a_query_that_takes_too_long_is_ended_and_the_next_is_answered(story, monkeypatch):
    monkeypatch.setattr(source, "_LONGEST_SECONDS", 0.5)
    source_of_story = Source(story)
    with pytest.raises(QueryFailed, match=r"longer than 0.5 s: choose a shorter time"):
        source_of_story.ask("select sum(hash(i)) from range(1000000000000) t(i)")
    assert source_of_story.ask("select 1 as one").rows == [{"one": 1}]
    source_of_story.close()
