"""The page about trained models: runs, what became of them, and what an admin does from there."""

import aiohttp
import pytest

from dashboard.view import PageView
from router.keys import new_key, save_keys
from tests.dashboard.playing import playing
from tests.dashboard.test_board import whole
from tests.dashboard.test_growth import RecordingLearner, rows_of, texts
from tests.router.scripted import ScriptedModel


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
