"""The page about growth: what it shows, that numbers lead to rows, and what an admin undoes."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from dashboard.board import Board
from dashboard.source import Source
from dashboard.view import PageView
from router.keys import new_key, save_keys
from tests.dashboard.browser import Watched, chromium, needs_chromium
from tests.dashboard.playing import playing
from tests.dashboard.story import MADE_TRIAL, TRIAL
from tests.dashboard.test_board import whole
from tests.router.scripted import ScriptedModel
from tests.telemetry.stored import NOON, Stored, request


class RecordingLearner:
    """A learner that takes note of what operators want of made plans."""

    def __init__(self) -> None:
        self.wishes: list[Mapping[str, Any]] = []

    async def growth(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        self.wishes.append(command)
        if command.get("name") == "p9-none-1":
            return {"rejected": "p9-none-1: no made plan has this name"}
        return {"object": "growth", "plans": []}


def texts(part):
    """The texts of a panel's components, in the order of reading."""
    if isinstance(part, list):
        return [text for piece in part for text in texts(piece)]
    if isinstance(part, dict):
        return texts(part["props"].get("children"))
    return [] if part is None else [str(part)]


def rows_of(panel):
    [table] = [part for part in whole(panel["parts"]) if "children" in part["props"]][:1]
    [_, body] = table["props"]["children"]["props"]["children"]
    return [row["props"]["children"] for row in body["props"]["children"]]


def test_an_operator_sees_what_was_made_for_what_why_what_it_brought_and_what_went(board):
    panels = board.page_values(PageView(page="growth", last="all"))["panels"]
    p1 = texts(rows_of(panels["patterns"])[0])
    assert p1[0] == "p1: invoice, total"
    assert "0.31" in p1
    assert p1[-1] == "p1-examples-1 (adopted), p1-brief-1 (removed), p1-steps-1 (kept out)"
    adopted, removed, kept = map(texts, rows_of(panels["made"]))
    assert adopted[:5] == [
        *("p1-examples-1", "p1", "cheap by examples", "✓ adopted", "+0.2100 [+0.1100, +0.3100]")
    ]
    assert adopted[-2:] == ["undo", "forbid"]
    assert removed[3] == "✗ removed"
    assert kept[3] == "· kept out"
    assert "undo" not in removed + kept  # what went cannot be undone
    went = [texts(row) for row in rows_of(panels["history"])]
    assert ["plan ", "p1-brief-1", "✗ removed", "an operator said so", "operator"] in [
        row[1:] for row in went
    ]


def test_a_plan_that_waits_from_the_moment_it_was_made_has_a_button_to_approve_it(tmp_path):
    stored = Stored(tmp_path)
    for state, detail in (("made", {"pattern": "p1"}), ("waiting", {"why": "by a person"})):
        event = {"ts": NOON, "event_id": state, "kind": "growth", "subject": "p1-steps-1"}
        stored.write("events", [event | {"state": state, "detail": detail}])
    stored.write("requests", [request(pattern="p1")])
    stored.seal()
    board = Board(Source(tmp_path))
    panels = board.page_values(PageView(page="growth", last="all"))["panels"]
    board.close()
    [row], [pattern] = rows_of(panels["made"]), rows_of(panels["patterns"])
    assert texts(pattern)[-1] == "p1-steps-1 (waiting)"
    assert texts(row)[3] == "… waiting"
    assert texts(row)[-3:] == ["approve", "undo", "forbid"]


def test_the_page_and_the_command_tell_the_same_utility_of_a_pattern(board):
    panels = board.page_values(PageView(page="growth", last="all"))["panels"]
    [shown] = (texts(row) for row in rows_of(panels["patterns"]) if "p1: invoice" in str(row))
    query = "select utility_now, best_plan, could_bring from patterns where pattern = 'p1'"
    [row] = board.source.ask(query).rows
    assert f"{row['utility_now']:.4f}" in shown
    assert (row["best_plan"] or "not known") in shown
    gain = row["could_bring"]
    assert ("not known" if gain is None else f"{gain:.4f}") in shown


def test_an_operator_sees_how_far_each_lesson_is_and_what_its_runs_brought(board):
    panels = board.page_values(PageView(page="growth", last="all"))["panels"]
    [lesson] = map(texts, rows_of(panels["lessons"]))
    assert lesson[:4] == ["task-triage", "✓ adopted", "task-triage@1", "300 judged answers"]
    runs = map(texts, rows_of(panels["runs"]))
    [run] = [each for each in runs if each[2] == "task-triage@1"]
    assert run[2:7] == ["task-triage@1", "task-triage@v1", "78%", "0.40%", "4.9"]


def test_every_number_of_the_page_leads_to_its_rows(board):
    panels = board.page_values(PageView(page="growth", last="all"))["panels"]
    for name in ("efficiency", "patterns", "made", "course", "history"):
        assert panels[name]["sql"]
    links = json.dumps([whole(panels[name]["parts"]) for name in ("patterns", "made")])
    for place in (
        "page=requests&pattern=p1",
        "page=requests&pattern=p1&outcome=judged",
        "page=requests&plan=p1-examples-1",
        f"page=trials&trial={MADE_TRIAL}",
    ):
        assert place in links
    n = texts(rows_of(panels["patterns"])[0])[1]
    query = PageView(page="requests", last="all", pattern="p1")
    listed = board.page_values(query)["panels"]["found"]
    assert f"100 shown, the newest of {n}" in texts(whole(listed["parts"]))


def test_written_functions_show_their_line_their_reviews_and_what_their_trial_says(board):
    (row,) = rows_of(board.page_values(PageView(page="trials", last="all"))["panels"]["written"])
    shown = texts(row)
    assert shown[:6] == ["learned:2", "router", "large", "learned:1", "accept", "✓ adopted"]
    assert shown[6].startswith("+0.0400")
    assert shown[-1] == "take back"
    assert f"page=trials&trial={TRIAL}" in json.dumps(whole(row))


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ({"do": "remove", "plan": "p1-examples-1"}, 200, ""),
        ({"do": "remove", "plan": "p9-none-1"}, 400, "no made plan has this name"),
        ({"do": "register", "plan": "p1-examples-1"}, 400, "`do` must be one of"),
        ({"do": "remove"}, 400, "`plan` is empty"),
    ],
)
async def test_only_an_admin_undoes_a_plan_and_nothing_else_reaches_the_service(
    story, tmp_path, wish, status, words
):
    analyst_text, analyst = new_key("ann", "2026-01-01", scopes=("analyst",))
    admin_text, admin = new_key("adm", "2026-01-01", scopes=("admin",))
    keys, learner = [analyst, admin], RecordingLearner()
    save_keys(tmp_path / "keys.toml", keys)
    place_of_keys = tmp_path / "keys.toml"
    with playing(
        story, {"free": ScriptedModel("x")}, keys=keys, key_file=place_of_keys, learner=learner
    ) as place:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            await http.post(f"{place.url}/login", data={"key": analyst_text})
            headers = {"authorization": f"Bearer {analyst_text}"}
            for headers in ({}, {"authorization": f"Bearer {analyst_text}"}):
                async with http.post(
                    f"{place.url}/service/growth", json=wish, headers=headers
                ) as answer:
                    assert answer.status in (400, 401, 403)
            assert learner.wishes == []
            headers = {"authorization": f"Bearer {admin_text}"}
            async with http.post(
                f"{place.url}/service/growth", json=wish, headers=headers
            ) as answer:
                assert answer.status == status
                assert words in await answer.text()
    if status == 200:
        assert learner.wishes == [{"do": "remove", "name": "p1-examples-1"}]


@pytest.mark.slow
@needs_chromium
def test_a_click_undoes_a_plan_once_an_admin_gave_a_key(story, tmp_path):
    analyst_text, analyst = new_key("ann", "2026-01-01", scopes=("analyst",))
    admin_text, admin = new_key("adm", "2026-01-01", scopes=("admin",))
    file, learner = tmp_path / "keys.toml", RecordingLearner()
    save_keys(file, [analyst, admin])
    models = {"free": ScriptedModel("x")}
    with (
        playing(story, models, keys=[analyst, admin], key_file=file, learner=learner) as place,
        chromium() as browser,
    ):
        watched = Watched(browser, place.url)
        page = watched.page
        page.goto(place.url + "/login")
        page.fill("#key", analyst_text)
        page.click("button[type=submit]")
        watched.open("/growth?last=all")
        page.get_by_role("button", name="undo p1-examples-1").click()
        assert "answered as before" in page.inner_text("dialog.grow")
        page.get_by_role("button", name="Undo", exact=True).click()
        page.get_by_label("An admin's key").fill(admin_text)  # the field comes with the refusal
        assert page.inner_text("dialog.grow .wrong") == ""  # and says what is missing
        assert learner.wishes == []
        page.get_by_role("button", name="Undo", exact=True).click()
        watched.until("!document.querySelector('dialog.grow').open")
        assert learner.wishes == [{"do": "remove", "name": "p1-examples-1"}]
        assert admin_text not in page.content()
        watched.close()
