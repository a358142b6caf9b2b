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
    proposed, refused = map(texts, rows_of(panels["proposals"]))
    assert proposed[1:2] == ["store"]
    assert "184,300 tokens, $0.421 in 30 days" in " ".join(proposed)
    assert "refused" in " ".join(refused)
    buttons = str(panels["proposals"]["parts"])
    assert buttons.count("data-grow") == 2  # only what waits can be decided
    lags = {curve["name"]: curve["y"] for curve in panels["knowledge-lag"]["figure"]["data"]}
    assert max(lags["handbook"]) == 2.0
    happened = [" ".join(map(str, texts(row))) for row in rows_of(panels["knowledge-events"])]
    assert any("who: key:bob; may: read; until: 2027-01-15 08:00" in line for line in happened)
    assert "grants in force" in str(panels["knowledge-strip"]["parts"])
