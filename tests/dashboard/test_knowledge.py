"""The page about knowledge: owners, grants, asks and uses, from the rows of telemetry."""

from dashboard.view import PageView
from tests.dashboard.test_growth import rows_of, texts


def test_it_shows_who_owns_what_who_may_read_it_and_who_does(board):
    panels = board.page_values(PageView(page="knowledge", last="all"))["panels"]
    cases, handbook = map(texts, rows_of(panels["stores"]))
    assert cases[:2] == ["cases", "the admins"]
    assert handbook[:2] == ["handbook", "alice"]
    in_force, revoked = map(texts, rows_of(panels["grants"]))
    assert in_force[:4] == ["handbook", "1", "key:bob", "read"]
    assert "2027-01-15" in in_force[4]
    assert "in force" in " ".join(in_force)
    assert "revoked" in " ".join(revoked)
    [use] = map(texts, rows_of(panels["knowledge-use"]))
    assert use[:3] == ["bob", "handbook", "7"]
    assert "grants in force" in str(panels["knowledge-strip"]["parts"])
