"""No pattern over text takes more than linear time for texts made to be slow for it."""

from experiments.attack.slow_text import slow_patterns


def test_no_pattern_takes_more_than_linear_time():
    # One of eight texts for each pattern; `python -m experiments.attack.slow_text` tries all.
    assert [str(finding) for finding in slow_patterns(every=8)] == []
