"""The playground in a real browser: it asks before it spends, and shows strangers' text as text."""

import pytest

from router.keys import new_key, save_keys
from tests.dashboard.browser import SIZES, Watched, chromium, needs_chromium
from tests.dashboard.conftest import served
from tests.dashboard.playing import playing
from tests.router.scripted import NEVER, ScriptedModel
from tests.waiting import blocking_until

pytestmark = needs_chromium

HOSTILE = (
    "# Bees\n\n<img src=x onerror=\"document.title='owned'\"> **dance** `x<y`\n\n- one\n  - two\n\n"
    "[a](javascript:alert(1)) [b](https://example.org/b) ![c](https://example.org/c.png)\n\n"
    "```html\n<script>document.title='owned'</script>\n```\n\n| h |\n|---|\n| <b>cell</b> |\n"
)
_STATES = "[...document.querySelectorAll('.answer')].map((a) => a.closest('section').dataset.state)"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def models() -> dict[str, ScriptedModel]:
    return {
        "free": ScriptedModel(HOSTILE),
        "dear": ScriptedModel("to tell where"),
        "unpriced": ScriptedModel(status=500),
    }


def opened(browser, place, size="laptop", path="/playground") -> Watched:
    seen = Watched(browser, place.url, size)
    seen.page.goto(place.url + path)
    seen.until("document.querySelectorAll('.choice input').length > 0")
    return seen


def choose(seen, *plans):
    for box in seen.page.locator(".choice input").all():
        box.set_checked(box.input_value() in plans)


def write(seen, prompt="Why do bees dance?"):
    seen.page.get_by_label("Prompt", exact=False).first.fill(prompt)


def press(seen, name):
    seen.page.get_by_role("button", name=name, exact=True).click()


def status(seen, words):
    seen.until(f"document.querySelector('[data-part=status]').textContent.includes({words!r})")


def text(seen, part):
    return seen.page.locator(f"[data-part={part}]").inner_text()


def test_a_run_shows_its_bound_first_then_each_answer_and_a_failure_hides_no_other(browser, story):
    with playing(story, models()) as place:
        seen = opened(browser, place)
        write(seen)
        press(seen, "ask")
        seen.until("document.querySelector('dialog[open]')")
        assert place.calls() == 0
        consent = text(seen, "consent")
        assert "free: costs nothing" in consent
        assert "dear: at most $0.1" in consent
        assert "unpriced: its price is unknown" in consent
        assert "what these cost is unknown: unpriced" in consent
        press(seen, "spend at most this")
        status(seen, "2 of 3 answered. Cost: $0.006 and what is unknown.")
        assert seen.page.evaluate(f"() => {_STATES}") == ["done", "done", "failed"]
        answers = text(seen, "answers")
        assert "to tell where" in answers
        assert "No backend could answer. Tried: unpriced" in answers
        assert "auto would choose free" in text(seen, "why")
        assert seen.page.locator("[data-part=why] tbody tr").count() == 3
        # What a model writes is text, and the elements that Markdown may make.
        assert seen.page.title() == "Waggle"
        assert seen.page.locator(".answer img, .answer script, .answer b").count() == 0
        links = seen.page.locator(".answer a").all()
        hrefs = [link.get_attribute("href") for link in links]
        assert hrefs == ["https://example.org/b", "https://example.org/c.png"]
        assert "<script>document.title" in seen.page.locator(".answer pre").first.inner_text()
        press(seen, "plain text of free")
        assert seen.page.locator(".answer pre").first.inner_text().startswith("# Bees")
        seen.close()
    assert [words for words in seen.trouble if "503" not in words] == []
    assert seen.foreign == []


@pytest.mark.slow
def test_a_thumb_becomes_feedback_and_may_be_changed(browser, story):
    with playing(story, models()) as place:
        seen = opened(browser, place)
        choose(seen, "free")
        write(seen)
        press(seen, "ask")
        status(seen, "1 of 1 answered. Cost: $0.")
        press(seen, "good answer of free")
        status(seen, "Noted: free, thumb up.")
        press(seen, "bad answer of free")
        status(seen, "Noted: free, thumb down.")
        pressed = seen.page.get_by_role("button", name="bad answer of free")
        assert pressed.get_attribute("aria-pressed") == "true"
        scores = [signal.score for signal in place.waggle.journal.signals]
        [trace] = place.waggle.journal.traces
        # The answers stay while the viewer looks at another page.
        seen.turn("Plans")
        seen.page.get_by_role("link", name="Playground").click()
        seen.until("document.querySelector('.answer h4').textContent === 'Bees'")
        seen.close()
    assert scores == [1.0, 0.0]
    assert trace.decision.strategy == "compared"
    assert seen.trouble == []


@pytest.mark.slow
def test_whoever_does_not_agree_spends_nothing(browser, story):
    with playing(story, models()) as place:
        seen = opened(browser, place)
        write(seen)
        for way in ("spend nothing", "Escape"):
            press(seen, "ask")
            seen.until("document.querySelector('dialog[open]')")
            if way == "Escape":
                seen.page.keyboard.press(way)
            else:
                press(seen, way)
            status(seen, "Nothing was sent, nothing was spent.")
        assert place.calls() == 0
        seen.close()


@pytest.mark.slow
def test_an_empty_prompt_and_no_plan_are_named_before_anything_is_sent(browser, story):
    with playing(story, models()) as place:
        seen = opened(browser, place)
        press(seen, "ask")
        status(seen, "The prompt is empty")
        assert seen.page.evaluate("() => document.activeElement.dataset.part") == "prompt"
        write(seen)
        choose(seen)
        press(seen, "ask")
        status(seen, "No plan is chosen")
        assert place.waggle.journal.traces == []
        assert place.calls() == 0
        seen.close()
    assert seen.trouble == []


@pytest.mark.slow
def test_cancel_ends_every_call(browser, story):
    slow = {"free": ScriptedModel("x", seconds=NEVER), "dear": ScriptedModel("y", seconds=NEVER)}
    with playing(story, slow) as place:
        seen = opened(browser, place)
        write(seen)
        press(seen, "ask")
        press(seen, "spend at most this")
        blocking_until(lambda: place.calls() == 2)
        press(seen, "cancel")
        status(seen, "0 of 2 answered.")
        assert seen.page.evaluate(f"() => {_STATES}") == ["stopped", "stopped"]
        blocking_until(lambda: len(place.waggle.journal.traces) == 2)
        assert {trace.status for trace in place.waggle.journal.traces} == {499}
        seen.close()
    assert seen.trouble == []


@pytest.mark.slow
def test_it_works_with_the_keyboard_alone_and_the_safe_button_is_the_first(browser, story):
    with playing(story, models()) as place:
        seen = opened(browser, place)
        choose(seen, "dear")
        write(seen)
        seen.page.get_by_label("Prompt", exact=False).first.focus()
        seen.page.keyboard.press("Control+Enter")
        seen.until("document.activeElement.value === 'cancel'")
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        status(seen, "1 of 1 answered.")
        seen.page.get_by_role("button", name="good answer of dear").focus()
        seen.page.keyboard.press("Enter")
        status(seen, "Noted: dear")
        seen.close()
    assert seen.trouble == []


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_whole_in_both_themes_and_on_every_screen(browser, story, theme, size):
    with playing(story, models()) as place:
        seen = opened(browser, place, size, f"/playground?theme={theme}")
        write(seen)
        press(seen, "ask")
        seen.until("document.querySelector('dialog[open]')")
        assert seen.violations() == []
        press(seen, "spend at most this")
        status(seen, "2 of 3 answered")
        press(seen, "good answer of dear")
        status(seen, "Noted: dear")
        assert seen.violations() == []
        seen.page.evaluate("() => window.scrollTo(0, 0)")  # the header sticks to the top
        assert seen.wider() == []
        assert seen.overlapping() == []
        assert seen.clipped() == []
        seen.close()


@pytest.mark.slow
def test_with_keys_the_viewer_brings_the_key_that_pays(browser, story, tmp_path):
    file = tmp_path / "keys.json"
    analyst, looks = new_key("ann", "2026-11-21", scopes=("analyst",))
    app, pays = new_key("app", "2026-11-21")
    save_keys(file, (looks, pays))
    models_of_app = {"free": ScriptedModel("to tell")}
    with playing(story, models_of_app, keys=(looks, pays), key_file=file) as place:
        seen = Watched(browser, place.url)
        seen.page.goto(place.url + "/login")
        seen.page.get_by_label("An analyst's key").fill(analyst)
        press(seen, "Sign in")
        seen.settle()
        seen.page.get_by_role("link", name="Playground").click()
        seen.until("!document.querySelector('[data-part=payer]').hidden")
        assert "This service needs an API key" in text(seen, "plans")
        seen.page.get_by_label("Key that pays", exact=False).fill(app)
        press(seen, "load the plans")
        seen.until("document.querySelectorAll('.choice input').length === 1")
        write(seen)
        press(seen, "ask")
        status(seen, "1 of 1 answered.")
        press(seen, "good answer of free")
        status(seen, "Noted: free")
        stored = seen.page.evaluate("() => JSON.stringify([localStorage, sessionStorage])")
        assert app not in stored
        assert app not in seen.page.url
        seen.close()
    [signal] = place.waggle.journal.signals
    assert signal.key_id == pays.id


@pytest.mark.slow
def test_a_request_that_no_plan_can_answer_and_a_dashboard_without_service_say_so(browser, story):
    records = "backends: {g: {kind: generator}}\nplans: {records: {ask: g}}\n"
    with playing(story, {}, config=records) as place:
        seen = opened(browser, place)
        write(seen)
        press(seen, "ask")
        status(seen, "No plan can answer this request.")
        seen.close()
    with served(story) as url:
        seen = Watched(browser, url)
        seen.page.goto(url + "/playground")
        seen.until("document.querySelector('[data-part=plans] .wrong')")
        assert "`waggle serve` starts a dashboard" in text(seen, "plans")
        seen.close()


@pytest.mark.slow
def test_an_answer_without_end_stays_readable_and_slows_nothing_down(browser, story):
    """Each line below is what a careless pattern takes minutes for."""
    long = "word " * 250_000
    with playing(story, {"free": ScriptedModel(lambda _: long.replace(" ", "-"))}) as place:
        seen = opened(browser, place)
        write(seen)
        press(seen, "ask")
        status(seen, "1 of 1 answered")
        assert "of which the first" in seen.page.locator(".facts").inner_text()
        for piece in (
            "[",
            "*",
            "`",
            "_",
            "[a](",
            "[](x",
            "> ",
            "- ",
            "|",
            "(",
            "#",
            "![",
            "~~",
            "1. ",
        ):
            lines = (piece * (200_000 // len(piece)), f"{piece}\n" * 20_000)
            for hostile in lines:
                length = "(text) => window.waggle_markdown(text).textContent.length"
                assert seen.page.evaluate(length, hostile) <= len(hostile)
        seen.close()
    assert seen.trouble == []
