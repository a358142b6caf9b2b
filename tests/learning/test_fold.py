"""The learner folds telemetry: the same rows lead to the same state, after any kill."""

import numpy as np
import pytest

from learner import snapshot
from learner.policy import Arm
from router.learning.fold import Fold
from router.request.context import context_of
from tests.learning.test_learner_files import rewritten
from tests.learning.traffic import YAML, Traffic, begun, configured, features_of, rebuilt, turned
from tests.sparing import slow_after
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal


def test_plans_to_try_more_are_remembered_after_a_kill(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    fold.try_more(["dear", "gone"])
    assert fold.state.bandit.bursts == {"dear": fold.state.bandit.settings.burst_length}
    traffic.send(20)
    turned(fold)
    again = turned(begun(config))
    assert again.state.bandit.bursts == fold.state.bandit.bursts


def test_signals_about_answers_move_the_policy(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(150)
    fold = turned(begun(config))
    policy = fold.policy(0.0).priced({})
    context = context_of(features_of("sql request 3"), "sql", lens=0)
    chances = policy.distribution(context, [Arm("cheap"), Arm("dear")])
    assert chances[Arm("dear")] > 0.85
    assert fold.state.bandit.expenses.of(Arm("dear")).spend == pytest.approx(2.0)
    assert fold.turn() is False


def test_a_question_about_memory_teaches_nothing_about_the_plan_that_answered(config, stored):
    traffic = Traffic(config, stored)
    question = {"step": 2, "backend": "a", "role": "reuse.verifier", "cost_usd": 0.004}
    plan = {"step": 1, "backend": "b", "cost_usd": 0.002}
    traffic.send(150, cost_usd=0.006, attempts=[plan, question])
    fold = turned(begun(config))
    assert fold.state.bandit.expenses.of(Arm("dear")).spend == pytest.approx(2.0)


@pytest.mark.slow
def test_killed_anywhere_it_comes_back_with_the_same_state_to_the_last_bit(config, stored):
    """Batches come live, with snapshots now and then and kills in between; then the whole log is
    replayed from nothing, after the rows were sealed and merged."""
    traffic, chance = Traffic(config, stored), np.random.default_rng(2)
    fold = begun(config)
    for n in range(25):
        # A router that starts after the sealing writes under another name.
        writers = ("r1", "r2") if n <= 12 else ("r3", "r4")
        traffic.send(int(chance.integers(1, 12)), writers=writers)
        if n == 12:
            stored.seal()
        for _ in range(int(chance.integers(0, 3))):
            fold.turn()
        if n % 7 == 6:
            fold.keep(float(n))
        if n % 5 == 4:  # a kill leaves only what is on disk
            before = fold.state.written(0.0)
            fold = begun(config)
            assert fold.state.written(0.0) == before
    turned(fold)
    assert fold.state.bandit.learned > 80
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


def test_a_made_plan_is_learned_as_an_heir_whatever_kill_comes_until_it_is_removed(config, stored):
    made, traffic = Arm("p1-steps-1"), Traffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    fold.inherit({made: "cheap"})
    rows = [{**row, "plan": made, "request_id": f"made-{n}"} for n, row in enumerate(traffic.rows)]
    rows = [{**row, "ts": row["ts"] + 60 * MINUTE} for row in rows]
    stored.write("requests", rows, "r1")
    stored.write("signals", [signal(row, 1.0) for row in rows], "r1")
    turned(fold)
    heirs = fold.state.bandit.heirs
    assert heirs.evidence.weight(made) == pytest.approx(60, abs=3)
    assert heirs.expenses.of(made).seen == 60
    assert fold.policy(0.0).inherited.arms == (made,)
    again = begun(config)  # a kill leaves the log alone
    assert again.state.written(0.0) == fold.state.written(0.0)
    again.keep(1.0)
    again.inherit({})
    assert again.policy(0.0).inherited is None
    assert begun(config).state.bandit.heirs.parents == {}


def test_a_batch_that_was_logged_and_not_read_before_a_kill_is_read_after_it(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(20)
    fold = begun(config)
    batch = fold.feed.beyond(fold.state.mark)
    fold.registry.log({"batch": batch.state()})  # the learner is killed after this line
    with (config.learner_folder / "batches.jsonl").open("ab") as file:
        file.write(b'{"batch": {"requ')  # or while it writes the next line
    again = Fold(config, 0)
    again.begin()
    assert again.state.bandit.learned > 5
    traffic.send(20)
    turned(again)
    assert rebuilt(config).state.written(0.0) == again.state.written(0.0)


def test_late_and_changed_feedback_counts_as_it_is_now(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(20)
    fold = turned(begun(config))
    row = traffic.rows[0]
    for ts, score in ((9, 1.0), (10, 0.0)):
        late = signal(row, score, source="app", metric="late", ts=row["ts"] + ts * MINUTE)
        stored.write("signals", [late, late], "r1")  # a repeated signal counts once
        turned(fold)
    assert fold.state.contributions[row["request_id"]][0] in (0.0, 0.5)
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


def test_requests_whose_caller_named_the_plan_teach_no_quality(config, stored):
    row = request(strategy="named", features_version=3, features=features_of("x"), rate_usd=0.001)
    stored.write("requests", [row])
    stored.write("signals", [signal(row, 1.0)])
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 0
    assert fold.state.bandit.expenses.of(Arm("cheap")).seen == 1


def test_a_judgement_of_plans_that_were_asked_side_by_side_teaches_their_quality(config, stored):
    features = features_of("x")
    rows = [
        request(
            strategy="compared", plan=plan, features_version=3, features=features, propensity=1.0
        )
        for plan in ("cheap", "dear")
    ]
    stored.write("requests", rows)
    stored.write("signals", [signal(row, float(row["plan"] == "dear")) for row in rows])
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 2


def test_rows_of_other_features_are_left_out(config, stored):
    rows = [request(features_version=4, features=[1.0] * 8), request()]
    stored.write("requests", rows)
    stored.write("signals", [signal(row, 1.0) for row in rows])
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 0


def test_going_back_drops_what_was_learned_since_and_goes_on_from_there(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    good = fold.keep(1.0)
    learned = fold.state.bandit.learned
    traffic.send(60, good=lambda plan, task: plan == "cheap")
    turned(fold)
    fold.registry.go_back(good.name)
    assert fold.turn()
    assert fold.state.bandit.learned == learned
    assert fold.state.arrivals.rate("", NOON / 1e6 + 200).answered == 120  # they did come in
    assert fold.turn() is False  # the rows learned since are not learned again
    traffic.send(10)
    turned(fold)
    assert fold.state.bandit.learned > learned
    fold.keep(2.0)
    again = Fold(config, 0)
    again.begin()
    assert again.state.written(0.0) == fold.state.written(0.0)


def test_a_kill_after_going_back_brings_nothing_of_what_was_dropped_back(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    good = fold.keep(1.0)
    traffic.send(60, good=lambda plan, task: plan == "cheap")
    turned(fold)
    fold.keep(2.0)  # the latest snapshot holds what is dropped now
    fold.registry.go_back(good.name)
    assert fold.turn()
    again = begun(config)
    assert again.state.written(0.0) == fold.state.written(0.0)


def test_a_snapshot_of_before_arrivals_were_counted_still_opens(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    version = fold.keep(1.0)
    content = snapshot.opened(version.path.read_bytes())
    del content["arrivals"]
    version.path.write_bytes(rewritten(content))
    again = begun(config)
    assert again.version == version.name
    assert again.state.bandit.learned == fold.state.bandit.learned > 30
    traffic.send(20)
    assert turned(again).state.arrivals.rate("", NOON / 1e6 + 200).answered == 20


def test_a_pinned_snapshot_decides_while_learning_goes_on(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(120)
    fold = turned(begun(config))
    version = fold.keep(1.0)
    fold.registry.pin(version.name)
    pinned = fold.policy(0.0)
    traffic.send(200, good=lambda plan, task: plan == "cheap")
    turned(fold)
    assert (fold.policy(0.0).posterior.means == pinned.posterior.means).all()
    for n in range(5):
        fold.keep(float(n))
    # Pinned, though only 3 others stay.
    assert version.name in {v.name for v in fold.registry.versions()}
    assert len(fold.registry.versions()) == 4
    fold.registry.unpin()
    assert fold.policy(0.0).seen > pinned.seen


def test_a_new_plan_is_an_event_and_is_tried(config, stored, tmp_path):
    traffic = Traffic(config, stored)
    traffic.send(60)
    events = []
    fold = Fold(config, 0, lambda *event, **_: events.append(event))
    fold.begin()
    turned(fold)
    more = YAML.replace("dear: {{ask: b}}", "dear: {{ask: b}}, third: {{ask: b}}")
    fold.reconfigure(configured(tmp_path, yaml=more))
    assert ("learner", "third", "new") in events
    chances = fold.policy(0.0).distribution({"complexity": 1.0}, [Arm("cheap"), Arm("third")])
    assert chances[Arm("third")] >= 0.05


def test_cards_are_believed_until_answers_say_otherwise(tmp_path):
    more = ", cards: {dear: {sql: 0.95, any: 0.5}, cheap: {sql: 0.2}}"
    config = configured(tmp_path, more)
    Stored(config.telemetry_folder).close()
    fold = begun(config)
    estimates = {e.arm: e for e in fold.policy(0.0).estimates({"task=sql": 1.0, "complexity": 1.0})}
    assert estimates[Arm("dear")].quality > estimates[Arm("cheap")].quality + 0.3


def test_dollars_for_a_thousand_requests_are_counted_from_rows(tmp_path):
    config = configured(tmp_path, ", budget: {dollars_per_1k: 3}")
    stored = Stored(config.telemetry_folder)
    Traffic(config, stored).send(100)
    fold = turned(begun(config))
    assert fold.pacer(0.0).spent == pytest.approx(0.2)
    assert fold.pacer(0.0).served == 100
    stored.close()


STEPS = (3600, 2 * 86_400, 4_102_444_800 - NOON / 1e6, -3600, -86_400 * 3, -NOON / 1e6)


@pytest.mark.parametrize("step", slow_after(2, [STEPS[0], *STEPS[:0:-1]]))
def test_rows_that_follow_a_clock_that_was_set_back_are_learned(config, stored, step):
    traffic, now = Traffic(config, stored), [NOON / 1e6]
    fold = Fold(config, 0, wall=lambda: now[0])
    fold.begin()

    def send(ahead):
        traffic.at = NOON + int(ahead * 1e6)
        traffic.send(10)
        now[0] = traffic.at / 1e6
        turned(fold)

    for ahead in (0, step, 60):
        send(ahead)
    assert fold.state.mark.read["requests"] == {"r1": 15, "r2": 15}
    assert sum(n for (kind, _), n in fold.state.seen.items() if not kind) == 30


def test_rows_that_were_dated_back_while_no_learner_ran_are_learned(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(10)
    turned(begun(config)).keep(0.0)
    traffic.at = MINUTE
    traffic.send(10)
    traffic.at = NOON + MINUTE
    fold = turned(begun(config))
    assert fold.state.mark.read["requests"] == {"r1": 10, "r2": 10}


def test_the_dollars_of_today_are_known_beside_those_of_many_wrong_days(config, stored):
    traffic = Traffic(config, stored)
    fold = Fold(config, 0, wall=lambda: traffic.at / 1e6)
    fold.begin()
    for day in (0, 40, 0, 60, 0, 80, 0):
        traffic.at = NOON + day * 86_400_000_000
        traffic.send(5)
        turned(fold)
    today = str(NOON // 86_400_000_000)
    assert fold.state.spent[today] == (pytest.approx(0.04), 20)


def test_what_users_did_next_teaches_nothing_until_ratings_bear_it_out(config, stored):
    """Of the rated answers, every bad one was retried, and no good one."""
    traffic = Traffic(config, stored)
    traffic.send(3)
    first, rated, last = (dict(row) for row in traffic.rows)
    retried = {"source": "implicit", "metric": "retried", "weight": 0.0}
    fold = turned(begun(config))
    before = fold.state.bandit.learned
    stored.write("signals", [signal(first, 0.0, **retried)], "r1")
    assert turned(fold).state.bandit.learned == before
    for n in range(120):
        row = request(rated["ts"] + n + 1, **{k: v for k, v in rated.items() if k not in _OWN})
        stored.write("requests", [row], "r1")
        good = n % 2 == 0
        after = [] if good else [signal(row, 0.0, **retried)]
        stored.write("signals", [signal(row, float(good)), *after], "r1")
    before = turned(fold).state.bandit.learned
    row = request(last["ts"] + 999, **{k: v for k, v in last.items() if k not in _OWN})
    stored.write("requests", [row], "r1")
    stored.write("signals", [signal(row, 0.0, **retried)], "r1")
    assert turned(fold).state.bandit.learned == before + 1
    score, weight = fold.state.contributions[row["request_id"]]
    assert score < 0.1
    assert 0.5 < weight < 1
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


def test_a_rating_that_comes_after_what_the_user_did_next_is_learned(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(1)
    (row,) = traffic.rows
    again = request(row["ts"] + 1, **{k: v for k, v in row.items() if k not in _OWN})
    stored.write("requests", [again], "r1")
    fold = turned(begun(config))
    before = fold.state.bandit.learned
    retried = {"source": "implicit", "metric": "retried", "weight": 0.0}
    stored.write("signals", [signal(again, 0.0, **retried)], "r1")
    turned(fold)
    stored.write("signals", [signal(again, 0.9)], "r1")
    assert turned(fold).state.bandit.learned == before + 1
    assert fold.state.contributions[again["request_id"]] == [0.9, 1.0]


_OWN = ("ts", "request_id")


def test_answers_with_behaviours_are_learned_once_ratings_say_what_these_mean(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(1)
    (first,) = traffic.rows
    facts = {name: value for name, value in first.items() if name not in _OWN}

    def answered(at, behaviour, *, score=None):
        row = request(first["ts"] + at, **facts)
        good = behaviour == "continued"
        seen = {"source": "implicit", "metric": behaviour, "weight": 0.0}
        rated = [] if score is None else [signal(row, score)]
        stored.write("requests", [row], "r1")
        stored.write("signals", [*rated, signal(row, float(good), **seen)], "r1")
        return row["request_id"]

    fold = turned(begun(config))
    complaint, content = answered(1, "corrected"), answered(2, "continued")
    learned = turned(fold).state.bandit.learned
    assert complaint not in fold.state.contributions
    fold.keep(1.0)
    for n in range(80):
        bad = n % 4 == 0
        answered(3 + n, "corrected" if bad else "continued", score=float(not bad))
    state = turned(begun(config)).state
    score, weight = state.contributions[complaint]
    assert score < 0.2 < weight
    assert state.contributions[content][0] > 0.8
    assert state.bandit.learned == learned + 82
    assert rebuilt(config).state.written(0.0) == state.written(0.0)
