"""Every page in a real browser, over telemetry in the form that routers write."""

import csv
import re
import shutil
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest

from dashboard.board import PAGES, Board
from dashboard.page_snapshot import snapshot
from dashboard.source import Source
from dashboard.view import PageView
from tests.dashboard.browser import SIZES, Watched, chromium, needs_chromium, visitor
from tests.dashboard.conftest import served
from tests.dashboard.story import TRIAL, write_story
from tests.sparing import slow_after

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def visits(browser):
    """A returning visitor, with the largest script in the cache."""
    context = visitor(browser)
    yield context
    context.close()


@pytest.fixture
def watched(browser, visits, url):
    """A page on a laptop. At the end it must have had no errors and no requests to other hosts."""
    seen = Watched(browser, url, context=visits)
    yield seen
    seen.close()
    assert seen.trouble == []
    assert seen.foreign == []


def query(watched):
    values = parse_qs(urlsplit(watched.page.url).query)
    return {name: values[0] for name, values in values.items()}


EVERYWHERE = [(PAGES, theme, size) for theme in ("light", "dark") for size in SIZES]


@pytest.mark.parametrize(
    ("names", "theme", "size"),
    slow_after(1, [(("learning", "requests"), "light", "laptop"), *EVERYWHERE]),
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_every_page_is_whole_in_both_themes_and_on_every_screen(browser, url, names, theme, size):
    seen = Watched(browser, url, size)
    seen.open(f"/learning?last=all&theme={theme}&trial={TRIAL}")
    for name in names:
        page = PAGES[name]
        seen.turn(page.title)
        place = f"{name} in {theme} on a {size}"
        assert seen.page.locator("#state").inner_text() == "● live", place
        assert seen.wider() == [], place
        assert seen.overlapping() == [], place
        assert seen.clipped() == [], place
        if size == "laptop":  # the screen makes no difference to axe
            assert seen.violations() == [], place
        assert seen.page.title() == "Waggle", place  # a hostile name would have changed the title
    seen.close()
    assert seen.trouble == []
    assert seen.foreign == []


@pytest.mark.slow
def test_a_dragged_span_is_in_the_url_and_every_panel_follows(watched):
    watched.open("/learning?last=all")
    before = watched.page.locator("#panel-strip .tile-value").first.inner_text()
    curve = watched.page.locator("#g-curve .nsewdrag").first
    curve.scroll_into_view_if_needed()
    plot = curve.bounding_box()
    watched.page.mouse.move(plot["x"] + plot["width"] * 0.3, plot["y"] + 60)
    watched.page.mouse.down()
    watched.page.mouse.move(plot["x"] + plot["width"] * 0.6, plot["y"] + 80, steps=8)
    watched.page.mouse.up()
    watched.until("new URLSearchParams(location.search).has('from')")
    chosen = query(watched)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", chosen["from"])
    assert chosen["from"] < chosen["to"]
    tile = "Number(document.querySelector('#panel-strip .tile-value').textContent)"
    watched.until(f"0 < {tile} && {tile} < {int(before)}")
    begins = "document.querySelector(`#g-${id} .js-plotly-plot`).layout.xaxis.range[0].slice(0, 16)"
    begin = chosen["from"][:16]
    watched.until(f"['cost', 'shares', 'regret'].every((id) => {begins} === '{begin}')")
    # Other pages have the same span, a reload keeps it, and a button leads back to the whole span.
    watched.turn("Plans")
    assert query(watched)["from"] == chosen["from"]
    watched.page.reload()
    watched.settle()
    watched.page.get_by_role("button", name="whole span").click()
    watched.until("!new URLSearchParams(location.search).has('from')")


@pytest.mark.slow
def test_a_span_may_be_chosen_without_a_mouse(watched):
    watched.open("/learning")
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.textContent") == "To the content"
    watched.page.get_by_role("button", name="15 min").focus()
    watched.page.keyboard.press("Enter")
    watched.until("new URLSearchParams(location.search).get('last') === '15m'")
    watched.until("document.querySelector('[data-last=\"15m\"]').ariaPressed === 'true'")
    watched.page.get_by_label("from (UTC)").fill("2026-01-01T10:00")
    watched.until("new URLSearchParams(location.search).get('from') === '2026-01-01T10:00:00'")


@pytest.mark.slow
def test_going_back_shows_what_was_there_before(watched):
    watched.open("/learning?last=all")
    watched.turn("System")
    assert watched.page.locator("h1").inner_text() == "System"
    watched.page.go_back()
    watched.until("document.querySelector('h1').textContent === 'Learning'")
    watched.settle()
    assert query(watched)["last"] == "all"


@pytest.mark.slow
def test_the_query_of_a_panel_is_copied_and_runs(watched, story, tmp_path):
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    watched.open("/plans?last=all")
    watched.page.locator("#panel-heat [data-act=sql]").click()
    watched.until("document.getElementById('toast').classList.contains('shown')")
    sql = watched.page.evaluate("() => navigator.clipboard.readText()")
    copy = shutil.copy(story / "telemetry.duckdb", tmp_path)
    with duckdb.connect(copy, read_only=True) as con:
        rows = con.execute(sql).fetchall()
    assert sum(row[2] for row in rows) == 600


@pytest.mark.slow
def test_if_the_browser_forbids_copying_a_box_shows_the_query(watched):
    watched.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject()")
    watched.open("/plans?last=all")
    watched.page.locator("#panel-heat [data-act=sql]").click()
    assert "sums(" in watched.page.get_by_title("the query").input_value()
    watched.page.get_by_role("button", name="close").click()


@pytest.mark.slow
def test_rows_and_pictures_can_be_downloaded(watched, tmp_path):
    watched.open("/learning?last=all")
    with watched.page.expect_download() as taken:
        watched.page.locator("#panel-cost [data-act=csv]").click()
    taken.value.save_as(tmp_path / "cost.csv")
    with (tmp_path / "cost.csv").open() as file:
        assert sum(int(row["n"]) for row in csv.DictReader(file)) == 600
    with watched.page.expect_download() as taken:
        watched.page.locator("#panel-cost [data-act=png]").click()
    assert taken.value.suggested_filename == "waggle-learning-cost.png"
    taken.value.save_as(tmp_path / "cost.png")
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_click_hides_a_plan_which_stays_hidden_while_rows_come(browser, tmp_path, begin):
    write_story(tmp_path, begin=begin, requests=100)
    with served(tmp_path) as url:
        seen = Watched(browser, url).open("/learning?last=all")
        hidden = "document.querySelector('#g-shares .js-plotly-plot')._fullData"
        hidden += ".map((trace) => trace.visible).includes('legendonly')"
        seen.page.locator("#g-shares .legendtoggle").first.click()
        seen.until(hidden)
        write_story(tmp_path, begin=begin, requests=150, seed=2)
        seen.until("document.querySelector('#panel-strip .tile-value').textContent === '250'")
        assert seen.page.evaluate(hidden)
        seen.close()
        assert seen.trouble == []


@pytest.mark.slow
def test_a_page_updates_itself_and_can_be_paused(browser, tmp_path, begin):
    folder = tmp_path / "telemetry"
    with served(folder) as url:
        seen = Watched(browser, url).open("/learning?last=all")
        with seen.page.expect_response(lambda response: response.status == 304):
            pass  # nothing changed: the page keeps what it said
        seen.until("document.querySelector('#state').innerText === '○ no telemetry'")
        assert "waggle serve" in seen.page.locator("#panel-curve").inner_text()
        first = "document.querySelector('#panel-strip .tile-value')?.textContent"
        write_story(folder, begin=begin, requests=60)
        seen.until(f"{first} === '60'")
        seen.page.get_by_role("button", name="pause").click()
        assert seen.page.locator("#state").inner_text() == "‖ paused"
        write_story(folder, begin=begin, requests=40, seed=2)
        seen.page.wait_for_timeout(2500)
        assert seen.page.evaluate(first) == "60"
        seen.page.get_by_role("button", name="go on").click()
        seen.until(f"{first} === '100'")
        seen.close()
        assert seen.trouble == []


@pytest.mark.slow
def test_nothing_moves_while_nothing_happens(watched):
    """An unchanged panel is not drawn again: its nodes stay the same."""
    watched.open("/plans?last=all")
    watched.page.wait_for_timeout(1500)
    mark = "() => { for (const svg of document.querySelectorAll('.main-svg')) svg.marked = 1; }"
    watched.page.evaluate(mark)
    heights = "() => [...document.querySelectorAll('.panel')].map((panel) => panel.offsetHeight)"
    before = watched.page.evaluate(heights)
    watched.page.wait_for_timeout(2500)
    left = "() => [...document.querySelectorAll('.main-svg')].every((svg) => svg.marked)"
    assert watched.page.evaluate(left)
    assert watched.page.evaluate(heights) == before


@pytest.mark.slow
def test_a_page_says_when_the_dashboard_does_not_answer(browser, story):
    with served(story) as url:
        seen = Watched(browser, url).open("/learning?last=all")
    seen.until("document.getElementById('state').textContent.includes('does not answer')")
    seen.close()


def test_requests_are_listed_filtered_and_shown_with_their_story(watched):
    watched.open("/requests?last=all")
    assert watched.page.locator("#panel-found tbody tr").count() == 100
    assert not watched.page.locator("#panel-story").is_visible()
    watched.page.locator("select[data-key=outcome]").select_option("failed")
    watched.until("document.querySelectorAll('#panel-found tbody tr').length === 7")
    watched.page.locator("select[data-key=outcome]").select_option("")
    watched.page.locator("select[data-key=kind]").select_option("json")
    watched.until("new URLSearchParams(location.search).get('kind') === 'json'")
    watched.page.locator("input[data-key=find]").fill("s3")
    watched.page.keyboard.press("Enter")
    watched.until("document.querySelectorAll('#panel-found tbody tr').length < 60")
    watched.page.locator("input[data-key=find]").fill("")
    watched.page.keyboard.press("Enter")
    watched.page.locator("#panel-found tbody a").first.click()
    watched.until("!document.getElementById('panel-story').hidden")
    watched.until("document.getElementById('panel-story').innerText.includes('Calls to backends')")
    text = watched.page.locator("#panel-story").inner_text()
    assert "onerror" in text  # the page shows the hostile name and does not run it
    assert watched.page.title() == "Waggle"
    assert watched.page.locator("#panel-story img").count() == 0
    assert "expected quality" in text


@pytest.mark.slow
def test_a_trial_is_chosen_from_the_list(watched):
    watched.open("/trials?last=all")
    watched.page.locator("#panel-trials tbody a").first.click()
    watched.until(f"new URLSearchParams(location.search).get('trial') === '{TRIAL}'")
    # The address changes before the panel has its text, so the text is what we wait for.
    watched.until("document.getElementById('panel-verdict').innerText.includes('adopted')")


@pytest.mark.slow
def test_the_scripts_of_plots_come_early_and_once(browser, url):
    """Browsers warn of a script that is preloaded and used late, as on a busy machine."""
    watched = Watched(browser, url)
    loaded: list[str] = []
    watched.page.on("request", lambda request: loaded.append(urlsplit(request.url).path))
    watched.open("/learning?last=all")
    assert watched.page.locator("link[rel=preload]").count() == 0
    for name in ("async-graph.js", "plotly.min.js"):
        assert sum(path.endswith(f"/{name}") for path in loaded) == 1, name
        [at] = (number for number, path in enumerate(loaded) if path.endswith(f"/{name}"))
        assert at < loaded.index("/_dash-update-component"), name
    watched.close()


@pytest.mark.slow
def test_the_theme_is_kept(browser, url):
    watched = Watched(browser, url).open("/learning?last=all")
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = watched.page.evaluate(background)
    watched.page.get_by_role("button", name="dark").click()
    watched.until("document.documentElement.dataset.theme === 'dark'")
    assert watched.page.evaluate(background) != light
    watched.open("/plans")
    assert watched.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    watched.close()
    assert watched.trouble == []


@pytest.mark.parametrize(
    "path", slow_after(1, ["/nowhere", "/learning?last=2y", "/learning?from=x"])
)
def test_a_url_that_names_no_view_gets_an_explanation(browser, url, path):
    seen = Watched(browser, url)
    seen.page.goto(url + path)
    if "?" in path:
        seen.until("document.getElementById('toast').textContent.includes('is no')")
    else:
        seen.until("document.querySelector('h1')?.textContent === 'Nothing here'")
        assert "nowhere" in seen.page.locator("main").inner_text()
    seen.close()


@pytest.mark.slow
def test_a_snapshot_is_one_file_that_needs_nothing_else(browser, story, tmp_path):
    board = Board(Source(story))
    path = tmp_path / "snapshot.html"
    path.write_text(snapshot(board, PageView(last="all")))
    board.close()
    seen = Watched(browser, "file://")
    seen.context.set_offline(True)
    seen.page.goto(path.as_uri())
    seen.until("document.querySelectorAll('[data-figure] .main-svg').length > 10")
    assert seen.page.title() == "Waggle: a snapshot"
    assert seen.page.locator("section").count() >= 25
    assert seen.page.locator("section img").count() == 0
    assert seen.violations() == []
    seen.close()
    assert seen.trouble == []
    assert seen.foreign == []
