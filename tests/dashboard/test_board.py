import asyncio
import json
import shutil

import duckdb
import plotly.graph_objects as go
import pytest

from dashboard.board import PAGES, Board
from dashboard.facts_reader import BoardSettings
from dashboard.source import Source
from dashboard.view import PageView, view_of
from tests.dashboard.story import HARM, TRIAL, write_story
from tests.sparing import slow_after
from tests.telemetry.stored import NOON, Stored, request, signal

VIEWS = [
    {"last": "24h", "kind": "no'such", "find": "50%_'; drop table x; --", "plan": "cheap"},
    {"last": "all"},  # `test_each_page_has_something_to_show` reads it too
    {"last": "1h", "kind": "text", "theme": "dark"},
    {"last": "15m"},
]
PANELS = [(page.name, panel.id) for page in PAGES.values() for panel in page.panels]


def whole(value):
    return json.loads(json.dumps(value, default=lambda entry: entry.to_plotly_json()))


@pytest.mark.parametrize("query", slow_after(1, VIEWS), ids=str)
@pytest.mark.parametrize("page", PAGES)
def test_every_panel_answers_and_what_it_draws_is_a_figure(board, page, query):
    values = board.page_values(view_of(page, query))
    assert values["state"] == "live"
    for name, panel in values["panels"].items():
        assert "Error" not in str(panel.get("empty", "")), f"{name}: {panel['empty']}"
        if "figure" in panel:
            go.Figure(panel["figure"])  # raises if Plotly refuses an attribute or a value


@pytest.mark.parametrize(
    "unpriced", [("cheap", "dear"), pytest.param(("dear",), marks=pytest.mark.slow)], ids=str
)
def test_every_panel_answers_where_nobody_knows_the_price(tmp_path, begin, unpriced):
    folder = tmp_path / "telemetry"
    write_story(folder, begin=begin, requests=200, unpriced=unpriced)
    board = Board(Source(folder), BoardSettings(reuse_budget=0.01))
    for page in PAGES:
        for name, panel in board.page_values(PageView(page=page, last="all"))["panels"].items():
            assert "Error" not in str(panel.get("empty", "")), f"{name}: {panel['empty']}"
            if "figure" in panel:
                go.Figure(panel["figure"])
    strip = json.dumps(whole(board.page_values(PageView(last="all"))["panels"]["strip"]))
    board.close()
    assert "saved" in strip
    assert "unknown" in strip


def test_each_page_has_something_to_show(board):
    shown = {
        (page, name)
        for page in PAGES
        for name, panel in board.page_values(PageView(page=page, last="all"))["panels"].items()
        if "empty" not in panel
    }
    nothing = {("requests", "story"), ("requests", "others"), ("growth", "issues")}
    assert set(PANELS) - shown == nothing


@pytest.mark.parametrize(
    "query", slow_after(1, [{"last": "all"}, {"last": "15m", "kind": "json"}]), ids=str
)
@pytest.mark.parametrize("page", PAGES)
def test_a_copied_query_answers_what_the_panel_shows(board, story, tmp_path, page, query):
    """The copied query stands alone, and the panel reads shared tables: both must give the same
    rows."""
    view = view_of(page, query)
    # DuckDB would share the file that the board has open.
    copy = shutil.copy(story / "telemetry.duckdb", tmp_path)
    with duckdb.connect(copy, read_only=True) as con:
        for name, panel in board.page_values(view)["panels"].items():
            if not panel["sql"]:
                continue
            shown = asyncio.run(board.panel_rows(view, name))
            copied = con.execute(panel["sql"]).fetchall()
            assert [rounded(list(row.values())) for row in shown.rows] == [
                rounded(list(row)) for row in copied
            ], name


def rounded(value):
    """Round the floats, because the last bits of a sum depend on the order of adding."""
    match value:
        case float():
            return float(f"{value:.8g}")
        case list() | tuple():
            return [rounded(entry) for entry in value]
        case dict():
            return {name: rounded(entry) for name, entry in value.items()}
    return value


def test_controls_are_estimated_from_the_results_of_their_plans_on_each_kind(tmp_path):
    """Two kinds, two plans, one bucket: the expected figures are computed by hand."""

    stored, rows, signals = Stored(tmp_path), [], []
    worth = {("text", "cheap"): 0.9, ("text", "dear"): 1.0}
    worth |= {("json", "cheap"): 0.2, ("json", "dear"): 0.8}
    for (kind, plan), quality in worth.items():
        for n in range(30 if plan == "cheap" else 10):
            cost = 0.0 if plan == "cheap" else 0.008
            row = request(NOON + n, kind=kind, plan=plan, cost_usd=cost, complexity=float(n % 10))
            rows.append(row | {"latency_ms": 0.0, "strategy": "bandit"})
            signals.append(signal(rows[-1], quality))
    stored.write("requests", rows)
    stored.write("signals", signals)
    ladder = {"rungs": ["cheap", "dear"], "cuts": [5]}
    policy = {"ts": NOON, "policy_version": "v", "strategy": "bandit"}
    stored.write("policies", [policy | {"settings": {"ladder": ladder}}])
    stored.seal()
    board = Board(Source(tmp_path), BoardSettings(weights=(0.1, 0.0)))
    view = view_of("learning", {"from": "2026-05-28T20:27:00", "to": "2026-05-28T20:28:00"})
    (row,) = asyncio.run(board.panel_rows(view, "curve")).rows
    board.close()

    def utility(quality, cost):
        import math

        return quality - 0.1 * math.log10(1 + 1000 * cost)

    assert row["n"] == 80
    quality = (30 * 0.9 + 10 * 1.0 + 30 * 0.2 + 10 * 0.8) / 80
    assert row["utility"] == pytest.approx(utility(quality, 0.002))
    # The best single plan is dear: quality 1.0 for texts, which are half, and 0.8 for the rest.
    assert row["best_plan"] == "dear"
    assert row["best"] == pytest.approx(utility((1.0 + 0.8) / 2, 0.008))
    # A random mix with the same cost, 0.002, takes the dear plan every fourth time.
    assert row["mix"] == pytest.approx(utility(0.75 * 0.55 + 0.25 * 0.9, 0.002))
    # The ladder sends a complexity of 5 or more to the dear plan: half of 0 to 9.
    assert row["ladder"] == pytest.approx(utility(0.5 * 0.55 + 0.5 * 0.9, 0.004))


async def test_a_view_is_drawn_once_for_all_its_viewers(story):
    board = Board(Source(story))
    views = [PageView(page="learning", last="all")] * 25
    drawn = await asyncio.gather(*(board.page(view) for view in views))
    assert board.drawn_count == 1
    assert len({entry.tag for entry in drawn}) == 1
    board.close()


async def test_a_page_is_drawn_again_only_after_a_row_was_written(tmp_path, begin):
    write_story(tmp_path, begin=begin, requests=50)
    board = Board(Source(tmp_path))
    view = view_of("plans", {"last": "all", "to": "2099-01-01"})
    first = await board.page(view)
    again = await board.page(view)
    for entry in board._entries.values():
        entry.page = board.redraw(view, entry.page)
    assert (again.tag, board.drawn_count) == (first.tag, 1)
    write_story(tmp_path, begin=begin, requests=10, seed=2)
    for entry in board._entries.values():
        entry.page = board.redraw(view, entry.page)
    assert board.drawn_count == 2
    board.close()


async def test_a_page_is_drawn_anew_after_an_operator_changed_something(story):
    board = Board(Source(story))
    view = view_of("growth", {"last": "all", "to": "2099-01-01"})
    for _ in range(2):
        await board.page(view)
    assert board.drawn_count == 1
    board.renew()
    for _ in range(2):
        await board.page(view)
    assert board.drawn_count == 2
    board.close()


def test_without_telemetry_a_panel_says_what_to_do_until_telemetry_appears(tmp_path, begin):
    board = Board(Source(tmp_path / "telemetry"))
    values = board.page_values(PageView())
    assert values["state"] == "missing"
    assert "waggle serve" in str(values["panels"]["curve"]["empty"])
    Stored(tmp_path / "telemetry").seal()
    assert "waggle ask" in str(board.page_values(PageView())["panels"]["curve"]["empty"])
    write_story(tmp_path / "telemetry", begin=begin, requests=60)
    assert "figure" in board.page_values(PageView())["panels"]["curve"]
    board.close()


def test_telemetry_that_disappears_and_returns_is_shown_again(tmp_path, begin):
    folder = tmp_path / "telemetry"
    write_story(folder, begin=begin, requests=60)
    board = Board(Source(folder))
    assert board.page_values(PageView())["state"] == "live"
    shutil.rmtree(folder)
    assert board.page_values(PageView())["state"] == "missing"
    write_story(folder, begin=begin, requests=80)
    assert board.page_values(PageView())["state"] == "live"
    (folder / "telemetry.duckdb").write_bytes(b"this is no database")
    assert board.page_values(PageView())["state"] in ("missing", "failed")
    board.close()


def test_a_page_is_read_to_the_end_from_one_catalog_though_another_replaces_it(tmp_path, begin):
    """The keeper replaces the catalog every few seconds. A page keeps the tables it began with."""
    write_story(tmp_path, begin=begin, requests=60)
    board = Board(Source(tmp_path))
    reading = board._facts.open(PageView(last="all"))
    count = f"select sum(n)::bigint as n from {reading.query.sums} where plan is not null"
    assert reading.ask(count).rows == [{"n": 60}]
    write_story(tmp_path, begin=begin, requests=40, seed=2)
    assert reading.ask(count).rows == [{"n": 60}]
    reading = board._facts.open(PageView(last="all"))
    assert reading.ask(count).rows == [{"n": 100}]
    board.close()


def test_a_query_cannot_write(story):
    source = Source(story)
    with pytest.raises(Exception, match="read-only"):
        source.ask("create table owned (a int)")
    source.close()


def test_the_story_of_a_request_has_the_results_expected_from_every_plan(board, story):
    with duckdb.connect(str(story / "telemetry.duckdb"), read_only=True) as con:
        ((request_id, kind),) = con.execute(
            "select request_id, kind from requests where prompt is not null"
        ).fetchall()
    values = board.page_values(PageView(page="requests", last="all", request=request_id))["panels"]
    text = str(whole(values["story"]["parts"]))
    for part in ("expected quality", "0.950", "$0.0002", "300.0 ms", "Calls to backends", "cheap"):
        assert part in text
    assert kind == "json"
    assert "dear" in str(whole(values["others"]["parts"]))


@pytest.mark.parametrize(
    ("parts", "shown"), [(None, "unchecked: 2"), (["sorted", "at least 3"], "sorted, at least 3")]
)
def test_a_computed_answer_shows_its_level_and_what_nobody_checked(tmp_path, parts, shown):
    stored = Stored(tmp_path)
    row = request(NOON, level="rerun", unchecked=2, **({"unchecked_parts": parts} if parts else {}))
    stored.write("requests", [row])
    stored.seal()
    board = Board(Source(tmp_path))
    view = PageView(page="requests", last="all", request=row["request_id"])
    panels = board.page_values(view)["panels"]
    board.close()
    story, listed = (str(whole(panels[name]["parts"])) for name in ("story", "found"))
    assert "rerun" in story
    assert shown in story
    assert "rerun" in listed


def test_an_unknown_request_gets_a_message_instead_of_a_story(board):
    shown = board.page_values(
        PageView(page="requests", request="01a1fae8-7a09-761b-9982-5744f9e7daf0")
    )
    assert "There is no request" in str(shown["panels"]["story"]["empty"])


def test_trials_show_the_sequence_the_guardrails_and_the_difference_of_functions(board):
    shown = board.page_values(PageView(page="trials", last="all", trial=TRIAL))["panels"]
    figure = shown["sequence"]["figure"]
    assert len(figure["data"][2]["x"]) == 8
    assert "held" in str(whole(shown["verdict"]["parts"]))
    assert "as meant" in str(whole(shown["verdict"]["parts"]))
    text = str(whole(shown["functions"]["parts"]))
    assert "-    return 'dear'" in text
    assert "+    return 'cheap'" in text


def test_the_newest_outlook_says_of_each_kind_what_is_left_to_learn(board):
    view = PageView(page="learning", last="all")
    rows = asyncio.run(board.panel_rows(view, "outlook")).rows
    assert [(row["kind"], row["outlook"]) for row in rows] == [
        ("any", "worth learning"),
        ("text", "learned"),
        ("json", "nothing to learn"),
        (HARM, "no judged answers here"),
    ]
    shown = str(whole(board.page_values(view)["panels"]["outlook"]["parts"]))
    for part in ("all", "… worth learning", "✓ learned", "0.061 ± 0.020", "0.031", "1.75", "$0.25"):
        assert part in shown
    text = PageView(page="learning", last="all", kind="text")
    assert [row["kind"] for row in asyncio.run(board.panel_rows(text, "outlook")).rows] == [
        *("any", "text")
    ]


def test_what_users_did_is_shown_with_the_weight_that_it_has_earned(board):
    view = PageView(page="learning", last="all")
    rows = asyncio.run(board.panel_rows(view, "behaviours")).rows
    assert [(row["behaviour"], row["weight"]) for row in rows] == [
        ("corrected", 0.318),
        ("retried", 0.0),
    ]
    shown = str(whole(board.page_values(view)["panels"]["behaviours"]["parts"]))
    for part in ("corrected", "0.215", "0.318"):
        assert part in shown


def test_the_shadow_of_auto_is_told_in_plain_words_with_its_interval(board):
    view = PageView(page="learning", last="all")
    shown = str(whole(board.page_values(view)["panels"]["shadow"]["parts"]))
    for part in (
        "`auto` would have saved $12.00 ± $4.00 at equal quality",
        "(+0.004 ± 0.014 on 900 judged answers), over 4,000 requests.",
        "100 without a draw",
        "It may be switched on: waggle policy live",
        "$12.00 ± $4.00",
    ):
        assert part in shown


def test_without_a_shadow_the_panel_says_how_to_begin_one(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(NOON)])
    stored.seal()
    board = Board(Source(tmp_path))
    panel = board.page_values(PageView(page="learning", last="all"))["panels"]["shadow"]
    board.close()
    assert "start: shadow" in str(whole(panel["empty"]))


def test_without_an_outlook_the_panel_says_what_to_do(tmp_path):
    stored = Stored(tmp_path)
    stored.write("requests", [request(NOON)])
    stored.seal()
    board = Board(Source(tmp_path))
    panel = board.page_values(PageView(page="learning", last="all"))["panels"]["outlook"]
    board.close()
    assert "waggle scores" in str(whole(panel["empty"]))


def test_false_reuse_is_shown_with_its_budget(board):
    shown = board.page_values(PageView(page="reuse", last="all"))["panels"]
    assert "1 of 3 checked" in str(whole(shown["reuse-strip"]["parts"]))
    assert shown["checks"]["figure"]["layout"]["shapes"][0]["x0"] == 0.01
    assert "20 ← 13" in str(whole(shown["solutions"]["parts"]))


def test_events_are_marked_on_every_time_axis(board):
    drawn = [
        panel["figure"]["layout"]
        for page in PAGES
        for panel in board.page_values(PageView(page=page, last="all"))["panels"].values()
        if "figure" in panel and panel["figure"]["layout"].get("meta", {}).get("brush")
    ]
    assert len(drawn) >= 7
    for layout in drawn:
        signs = {entry["text"] for entry in layout["annotations"]}
        assert signs == {"▲", "●", "◆", "✚"}


def test_a_name_from_a_row_never_becomes_markup(board):
    """Components are text. Plotly reads a little HTML in figures, so names are escaped there."""
    for page in PAGES:
        for panel in board.page_values(PageView(page=page, last="all"))["panels"].values():
            assert HARM not in json.dumps(panel.get("figure", {}))
