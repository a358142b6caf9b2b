"""An answer under a grant that must cite points at a passage of its store, or is withheld."""

import orjson
import pytest

from router.plans.citing import citations_in, keeps_citations

BOUND = {"n": 2, "store": "handbook", "source": "rates.md", "document": "rates", "must_cite": True}
FREE = {"n": 1, "store": "orders", "source": "orders.csv", "document": "orders"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It is 9 per cent [2].", True),
        ("It is 9 per cent [1, 2].", True),
        ("It is 9 per cent.\n\nSource: rates.md", True),
        ("It is 9 per cent.", False),
        ("It is 9 per cent [1].", False),  # cites another store
        ("It is 9 per cent [12].", False),
        ("", False),
    ],
)
def test_an_answer_points_at_a_bound_passage(text: str, *, kept: bool) -> None:
    assert keeps_citations(text, [FREE, BOUND]) is kept


def test_nothing_is_demanded_without_a_bound_passage() -> None:
    assert keeps_citations("It is 9 per cent.", [FREE])
    assert keeps_citations("It is 9 per cent.", [])


def test_a_reply_names_its_citations() -> None:
    assert citations_in(orjson.dumps({"knowledge": {"citations": [BOUND]}})) == [BOUND]
    for other in (b"", b"[]", b"{}", b'{"knowledge": null}', b'{"knowledge": {"citations": [1]}}'):
        assert citations_in(other) == []
