"""The filter on metadata: what it admits, and what it refuses to read."""

import pytest

from router.knowledge.finding.where import UnclearFilter, where_of

FEES = {"team": "Law", "date": "2025-03-01", "tags": ("tax", "Fees"), "level": 3}


@pytest.mark.parametrize(
    "where",
    [
        None,
        {"team": "law"},
        {"Team": ["sales", "LAW"]},
        {"tags": ["fees", "rent"], "team": "law"},
        {"level": 3.0},
        {"after": 2025},
        {"after": "2025-03", "before": "2025-03-02"},
    ],
)
def test_a_document_passes_where_all_conditions_hold(where):
    assert where_of(where).admits(FEES)


@pytest.mark.parametrize(
    "where",
    [
        {"team": "law", "tags": "rent"},
        {"owner": "law"},  # a document without the key is outside
        {"after": "2025-03-02"},
        {"before": 2025},
        {"before": "2025-03-01"},
    ],
)
def test_a_document_outside_one_condition_is_outside(where):
    assert not where_of(where).admits(FEES)


def test_a_document_without_a_date_passes_no_date():
    assert not where_of({"after": 1900}).admits({"team": "law"})
    assert not where_of({"before": 2100}).admits({"date": "soon"})


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("law", "write conditions"),
        ({"after": "spring"}, "where.after is 'spring': write a date as 2025"),
        ({"team": None}, "where.team is None: a value is text"),
        ({"team": []}, "1 to 64 values"),
        ({"x" * 80: 1}, "a key is a word"),
        ({str(n): n for n in range(20)}, "at most 16"),
    ],
)
def test_an_unclear_filter_is_refused_with_its_mend(where, problem):
    with pytest.raises(UnclearFilter, match=problem):
        where_of(where)
