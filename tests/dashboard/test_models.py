"""The page about trained models: runs, what became of them, and what an admin does from there."""

import json

import aiohttp
import pytest

from dashboard.board import Board
from dashboard.components import UNKNOWN
from dashboard.source import Source
from dashboard.view import PageView
from router.domain import new_id
from router.keys import new_key, save_keys
from tests.dashboard.playing import playing
from tests.dashboard.story import write_story
from tests.dashboard.test_board import whole
from tests.dashboard.test_growth import RecordingLearner, rows_of, texts
from tests.router.scripted import ScriptedModel
from tests.telemetry.stored import MINUTE, Stored, request


def test_an_operator_sees_which_models_were_trained_and_which_answers(board):
    panels = board.page_values(PageView(page="models", last="all"))["panels"]
    rows = [texts(row) for row in rows_of(panels["training"])]
    rows = [row for row in rows if not row[0].startswith("task-")]
    assert [row[0] for row in rows] == ["notices", "triage@2", "triage@1"]
    assert {"✓ finished", "74.0%"} <= set(rows[1])
    assert rows[1][-1] == "promote"
    assert rows[2][-1] == "roll back"  # it answers now
    assert "promote" not in rows[0]  # a refused run made no model
    compared = [texts(row) for row in rows_of(panels["compared"])]
    assert [
        "triage@1 → triage@2",
        "share of rows that it answers",
        "0.61",
        "0.74",
        "+0.13",
    ] in compared
    assert panels["curves"]["figure"]["data"][0]["y"] == [1.2, 1.4, 2.1][::-1]
    assert panels["calibration"]["figure"]["data"][1]["y"] == [0.94]
    assert "language" in texts(whole(panels["slices"]["parts"]))


def test_a_model_leads_to_the_requests_that_it_answered(tmp_path, begin):
    write_story(tmp_path, begin=begin, requests=20)
    stored, at = Stored(tmp_path), begin + 30 * MINUTE
    by_backend = {"plan": "sorted", "backend": "triage", "gen_ai_provider_name": "learned"}
    by_plan = {"plan": "task-triage-model-1", "backend": "lessons", "gen_ai_provider_name": "twin"}
    teacher = {"plan": "task-triage-model-1", "backend": "dear", "gen_ai_provider_name": "openai"}
    answers = [by_backend, by_backend, by_plan, teacher]
    stored.write("requests", [request(at + n, **each) for n, each in enumerate(answers)], "w9")
    made = {"author": "task-triage@1", "way": "model", "pattern": "task triage"}
    event = {"kind": "growth", "subject": "task-triage-model-1", "state": "made", "detail": made}
    stored.write("events", [{"ts": at, "event_id": new_id(at / 1e6), **event}], "w9")
    stored.close()
    board = Board(Source(tmp_path))
    panel = board.page_values(PageView(page="models", last="all"))["panels"]["training"]
    board.close()
    rows = {texts(row)[0]: (texts(row)[7], json.dumps(whole(row))) for row in rows_of(panel)}
    (by_name, to_backend), (of_lesson, to_plan) = rows["triage@1"], rows["task-triage@1"]
    assert (by_name, of_lesson, rows["triage@2"][0]) == ("2", "1", UNKNOWN)
    assert "page=requests&plan=&find=triage" in to_backend
    assert "page=requests&plan=task-triage-model-1&find=lessons" in to_plan


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ({"do": "promote", "plan": "triage@9"}, 400, "no model is called triage"),
        ({"do": "rollback", "plan": "triage"}, 400, "no model is called triage"),
        ({"do": "remove", "plan": "triage"}, 400, "`do` must be one of promote, rollback"),
    ],
)
async def test_only_an_admin_promotes_and_errors_say_why(story, tmp_path, wish, status, words):
    app_text, app = new_key("app", "2026-01-01", scopes=("app", "analyst"))
    admin_text, admin = new_key("adm", "2026-01-01", scopes=("admin", "analyst"))
    save_keys(tmp_path / "keys.toml", [app, admin])
    with playing(
        story,
        {"free": ScriptedModel("x")},
        keys=[app, admin],
        key_file=tmp_path / "keys.toml",
        learner=RecordingLearner(),
    ) as place:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            await http.post(f"{place.url}/login", data={"key": app_text})
            for key, expected in ((app_text, 403), (admin_text, status)):
                headers = {"authorization": f"Bearer {key}"}
                async with http.post(
                    f"{place.url}/service/learned", json=wish, headers=headers
                ) as answer:
                    text = await answer.text()
                    assert answer.status == (status if wish["do"] == "remove" else expected)
            assert words in text
