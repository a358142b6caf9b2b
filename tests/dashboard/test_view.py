import datetime as dt
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.view import ALL, LASTS, PageView, UnreadableView, span_of, view_of

NOW = dt.datetime.fromisoformat("2026-11-21T16:30:12")
MOMENTS = st.datetimes(
    min_value=dt.datetime.fromisoformat("2020-01-01"),
    max_value=dt.datetime.fromisoformat("2030-01-01"),
).map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"last": "2y"}, r"last=2y is no span.*15m, 1h"),
        ({"from": "yesterday"}, r"from=yesterday is no moment in time: write it as 2026"),
        ({"to": "2026-13-45"}, "to=2026-13-45 is no moment"),
        ({"from": "2026-11-21", "to": "2026-11-20"}, "is not before"),
        ({"theme": "pink"}, "use light or dark"),
        ({"outcome": "odd"}, "use failed, explored"),
        ({"find": "x" * 201}, "longer than 200"),
    ],
)
def test_an_unreadable_view_is_refused_with_the_value_and_the_rule(query, message):
    with pytest.raises(UnreadableView, match=message):
        view_of("learning", query)


@given(
    st.builds(
        PageView,
        last=st.sampled_from([*LASTS, ALL]),
        since=st.none() | MOMENTS,
        theme=st.sampled_from(["light", "dark"]),
        kind=st.text(max_size=30),
        find=st.text(max_size=30),
        trial=st.text("abc-1", max_size=20),
    )
)
def test_a_view_survives_the_url(view):
    assert view_of(view.page, dict(parse_qsl(view.query))) == view


@given(st.sampled_from([*LASTS, ALL]), MOMENTS, st.timedeltas(dt.timedelta(0), dt.timedelta(900)))
def test_a_span_is_in_order_within_the_rows_and_has_few_points(last, now, age):
    first = now - age
    for fine in (False, True):
        span = span_of(PageView(last=last), now=now, first=first, fine=fine)
        assert span.since < span.until
        assert span.until >= now
        points = (span.until - span.since).total_seconds() / span.bucket_seconds
        assert points <= 110


def test_a_second_later_the_span_is_the_same():
    """Equal spans make equal queries, so that viewers can share an answer."""
    spans = {
        span_of(PageView(), now=NOW + dt.timedelta(seconds=s), first=NOW - dt.timedelta(days=3))
        for s in range(30)
    }
    assert len(spans) == 1


def test_a_dragged_span_becomes_the_span_of_the_view():
    view = view_of("plans", {"from": "2026-11-21 10:01:30.25", "to": "2026-11-21T10:20:00"})
    span = span_of(view, now=NOW, first=None)
    assert (span.since, span.until) == (
        dt.datetime.fromisoformat("2026-11-21T10:01:00"),
        dt.datetime.fromisoformat("2026-11-21T10:20:00"),
    )
    assert not view.live
