"""An agent's session that ends teaches its turns how it ended, where that shows."""

import json

import pytest

from learner.trust import SourceScore, Trust
from router.domain import About, Trajectory
from router.engine.sessions import IDLE_SECONDS, MOST_TURNS, home_after
from router.signals.outcomes import (
    ending_of,
    session_outcome,
    session_signals,
    turn_signals,
)
from tests.rig import rig
from tests.router.scripted import ScriptedModel, planned
from tests.router.test_trajectory import CODER, EDIT, FAILS, PASSES, TOOLS, session

SAYS = {"role": "assistant", "content": "Done: the login test passes."}


def user(text):
    return {"role": "user", "content": text}


def turns(*plans):
    return [About(f"r{n}", n, plan=plan) for n, plan in enumerate(plans)]


@pytest.mark.parametrize(
    ("trajectory", "closing", "reply", "outcome"),
    [
        (Trajectory("edit", tests="passing"), "", "", "success"),
        (Trajectory("edit", tests="passing", edited_since_tests=True), "", "", "unknown"),
        (Trajectory("edit", tests="failing"), "Done.", "", "failure"),
        (Trajectory("edit", tests="failing"), "It fails, as wanted.", "perfect", "success"),
        (Trajectory("edit"), "Done.", "Thanks, but it still crashes", "failure"),
        (Trajectory("edit"), "Done.", "", "unknown"),
        (Trajectory("edit", errors_in_row=3), "Done.", "", "failure"),
        (Trajectory("edit"), "I was not able to fix it.", "", "failure"),
        (Trajectory("edit", errors_in_row=3), "Shall I use sudo?", "", "unknown"),
        (Trajectory("search"), "It is in a.py.", "and where is b?", "unknown"),
        (Trajectory("edit", tests="failing"), "The failure is older: pre-existing.", "", "unknown"),
    ],
)
def test_an_outcome_is_said_only_where_it_shows(trajectory, closing, reply, outcome):
    assert session_outcome(trajectory, closing, reply) == outcome


def test_the_end_of_a_loop_is_read_from_the_last_messages():
    messages = [*session(FAILS, EDIT), SAYS, user("it works, thanks")]
    assert ending_of(messages) == (SAYS["content"], "it works, thanks", 3)
    assert ending_of(messages[:-1]) == (SAYS["content"], "", 3)
    again = [*messages, {"role": "assistant", "content": "Glad."}, user("bye")]
    assert ending_of(again) == ("Glad.", "bye", 1)


def test_an_outcome_teaches_all_turns_the_later_ones_and_those_of_the_last_plan_more():
    signals = session_signals(turns("a", "a", "b", "b"), "success", weight=0.3, now=1.0)
    assert [s.about.request_id for s in signals] == ["r3", "r2", "r1", "r0"]
    assert [s.weight for s in signals] == pytest.approx([0.3, 0.27, 0.1215, 0.1093], abs=1e-3)
    assert {(s.source, s.metric, s.score) for s in signals} == {("outcome", "session", 1.0)}
    assert session_signals(turns("a"), "unknown", weight=0.3, now=1.0) == []


def test_what_early_turns_are_worth_as_witnesses_is_compared_on_its_own():
    signals = session_signals(turns(*"aaaaaaaa"), "failure", weight=0.3, now=1.0)
    assert [s.metric for s in signals] == ["session"] * 5 + ["session.early"] * 3


@pytest.mark.parametrize(
    ("happened", "score"),
    [
        ({"last_failed": False}, [1.0]),
        ({"last_failed": True, "errors_in_row": 1}, [2 / 3]),  # an agent reads an error and goes on
        ({"last_failed": True, "failing_in_row": 2}, [1 / 3]),
        ({"last_failed": True, "errors_in_row": 5}, [0.0]),
        ({"last_failed": None}, []),
        (
            {"last_failed": True, "waits": True},
            [],
        ),  # the turn before the user's words called nothing
    ],
)
def test_the_next_request_shows_whether_the_latest_turn_worked(happened, score):
    signals = turn_signals(turns("a", "b"), Trajectory("edit", **happened), weight=0.3, now=1.0)
    assert [s.score for s in signals] == pytest.approx(score)
    assert [s.about.request_id for s in signals] == ["r1"] * len(score)


def test_a_success_is_not_credited_to_turns_that_failed_and_a_failure_is_theirs_first():
    session_turns, failed = turns("a", "a", "a"), frozenset({"r1"})
    good = session_signals(session_turns, "success", weight=0.3, now=1.0, failed=failed)
    assert [s.about.request_id for s in good] == ["r2", "r0"]
    bad = session_signals(session_turns, "failure", weight=0.3, now=1.0, failed=failed)
    assert {s.about.request_id: s.weight for s in bad} == pytest.approx(
        {"r2": 0.06, "r1": 0.27, "r0": 0.0486}, abs=1e-3
    )


def test_an_outcome_is_a_weak_witness_until_ratings_say_what_it_is_worth():
    trust, witness = Trust(), SourceScore("outcome", "session", 1.0, 0.3)
    assert trust.quality([witness]) == (1.0, 0.3)
    for _ in range(200):
        trust.compare([witness, SourceScore("user", "rating", 0.0, 1.0)])
    quality, weight = trust.quality([witness])
    assert quality < 0.2
    assert weight < 0.05


def outcomes(waggle):
    return [
        (s.metric, s.value, s.about.request_id)
        for s in waggle.journal.signals
        if s.source == "outcome"
    ]


async def ask(waggle, messages, **fields):
    body = {"model": "auto", "messages": messages, "tools": TOOLS, **fields}
    answer = await waggle.post("/v1/chat/completions", body)
    assert answer.status == 200, answer.body
    return answer.headers["x-waggle-request-id"]


PLANS = {"p": {"ask": "a"}, "q": {"ask": "b"}}


async def test_a_session_that_the_user_accepts_teaches_each_of_its_turns():
    async with planned(PLANS, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        first = await ask(waggle, session())
        second = await ask(waggle, session(FAILS))
        assert outcomes(waggle) == [("turn", "failed", first)]
        third = await ask(waggle, session(FAILS, EDIT))
        assert outcomes(waggle)[1:] == [("turn", "worked", second)]
        await ask(waggle, [*session(FAILS, EDIT), SAYS, user("thanks, it works")])
        assert outcomes(waggle)[2:] == [
            ("session", "success", third),
            ("session", "success", second),
        ]  # and nothing of the first turn, which failed
        assert all(s.weight <= 0.3 for s in waggle.journal.signals)


@pytest.mark.parametrize(("last", "outcome"), [(FAILS, "failure"), (PASSES, "success")])
async def test_a_session_that_nobody_goes_on_with_has_the_outcome_of_its_tests(last, outcome):
    noon = [1_800_000_000.0]
    models = {"a": ScriptedModel(), "b": ScriptedModel()}
    async with planned(PLANS, wall=lambda: noon[0], **models) as waggle:
        await ask(waggle, session(EDIT))
        await ask(waggle, session(EDIT, last))
        before = len(outcomes(waggle))
        noon[0] += IDLE_SECONDS
        await waggle.chat("hello")
        assert [o[:2] for o in outcomes(waggle)[before:]] == [("session", outcome)] * 2
        await waggle.chat("hello again")
        assert len(outcomes(waggle)) == before + 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("closing", "outcome"),
    [
        ("I was not able to fix it.", ["failure"] * 2),
        ("The login works, all requests are answered.", ["success"] * 2),
        ("I believe that fixes it.", []),
    ],
)
async def test_a_loop_that_ends_with_a_final_answer_has_the_outcome_it_speaks_of(
    closing, outcome, stream
):
    noon = [1_800_000_000.0]
    models = {name: ScriptedModel(closing) for name in "ab"}
    async with planned(PLANS, wall=lambda: noon[0], **models) as waggle:
        checked = ("Bash", {"command": "curl -s localhost/login"}, "200")
        await ask(waggle, session(EDIT))
        await ask(waggle, session(EDIT, checked), stream=stream)
        before = len(outcomes(waggle))
        noon[0] += IDLE_SECONDS
        await waggle.chat("hello")
        assert [value for _, value, _ in outcomes(waggle)[before:]] == outcome


async def test_other_requests_leave_no_turns_and_give_no_outcome():
    async with planned(PLANS, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        await waggle.chat("Name three rivers")
        trace = waggle.journal.traces[-1]
        assert home_after(None, trace, None, 5.0).turns == ()
        await waggle.chat("Name three rivers")
        assert outcomes(waggle) == []


async def test_outcomes_can_be_switched_off():
    yaml = json.dumps(
        {
            "backends": {"a": {"kind": "generator"}, "b": {"kind": "generator"}},
            "plans": PLANS,
            "signals": [],
        }
    )
    async with rig(yaml) as waggle:
        for steps in ((), (FAILS,)):
            messages = [CODER, user('{"a": "string"}'), *session(*steps)[2:]]
            await waggle.post("/v1/chat/completions", {"model": "auto", "messages": messages})
        assert waggle.journal.signals == []


async def test_a_session_remembers_a_bounded_number_of_turns():
    async with planned(PLANS, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        await ask(waggle, session(FAILS))
        trace, home = waggle.journal.traces[-1], None
        for _ in range(MOST_TURNS + 5):
            home = home_after(home, trace, None, 5.0)
        assert len(home.turns) == MOST_TURNS
        assert len(home.warm) == 1
