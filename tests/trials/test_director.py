"""The director: verdicts from telemetry, adoption in steps, rollback, shadows, proposals."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from learner.assignment import Slot, assigned
from learner.bandit_learner import Bandit
from learner.decision_tree import leaves_of
from learner.policy import Arm, Feedback, Outcome
from router.config.config import Config
from router.config.load import load
from router.learning.state import kind_in
from router.request.context import context_of, taught
from router.routing.function_contract import (
    NO_OPINION,
    NOT_ITS_FAULT,
    NOWHERE,
    RELOADING,
    RESTING,
)
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.changes import adopt, open_trial, register, stop, write
from router.trials.course import phase_of
from router.trials.director import Director
from router.trials.entering import enter
from router.trials.evidence import evidence_lines, kept_out
from router.trials.idle_plans import find_idle
from router.trials.prompt_versions import versions_of
from router.trials.proposals import LearnerView, Proposal
from router.trials.proposing import Proposer
from router.trials.simplifying import paths
from router.trials.trial_requests import act
from router.trials.writing import distilled, returns_in, table_of
from tests.fakes import MemoryJournal
from tests.learning.traffic import features_of
from tests.sparing import slow_after
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

YAML = """
server: {{data: {data}}}
backends:
  a: {{kind: generator}}
  b: {{kind: generator, price: {{input: 10, output: 30}}}}
  c: {{kind: generator, price: {{input: 10, output: 30}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}, idle: {{ask: c}}}}
objective: {{strategy: fixed, plan: cheap}}
trials: {{step_requests: 20, shadow_requests: 20, adopt: {adopt}, propose: {propose}}}
"""
KINDS = ("sql", "chat")


def made(tmp_path, adopt="true", propose="true"):
    path = tmp_path / "waggle.yaml"
    path.write_text(YAML.format(data=tmp_path / "var", adopt=adopt, propose=propose))
    config = load(path, {})
    return World(config)


class World:
    """Decides requests like a router and writes them to telemetry, one for each second."""

    def __init__(self, config):
        self.config = config
        self.stored = Stored(config.telemetry_folder)
        self.journal = MemoryJournal()
        self.at = NOON
        self.chance = np.random.default_rng(1)
        self.director = Director(config, self.journal, self.now)
        self.count = 0

    def now(self):
        return self.at / 1e6

    @property
    def book(self):
        return self.director.book

    def change(self, decide, *args, **kwargs):
        return self.director.change(decide, *args, **kwargs)

    def rows(self):
        return self.director.telemetry.decisions(0, 4000)

    def adopt_at_once(self, name):
        self.change(adopt, name, self.now(), why="", by_steps=False)

    def send(self, count, good, *, trouble="", failing=()):
        """Decide and write requests. `good(plan, kind)` is the chance that an answer is good."""
        rows, signals = [], []
        for _ in range(count):
            self.at += MINUTE // 60
            self.count += 1
            kind = KINDS[int(self.chance.integers(2))]
            steering = self.book.steering()
            unit = f"u{self.count}"
            parts = steering.parts(unit)
            plan = self.plan_of(steering.strategy(parts), kind)
            exposures = []
            for part in parts:
                other = self.plan_of(steering.strategy(parts, flipped=(part,)), kind)
                exposures.append(
                    {
                        "trial_id": part.live.slot.trial,
                        "unit": unit,
                        "variant": "shadow" if part.live.shadow else part.assignment.side,
                        "chance": part.assignment.chance,
                        "apart": other != plan,
                        "other": other,
                        **({"trouble": trouble} if trouble else {}),
                    }
                )
            row = request(
                self.at,
                plan=plan,
                kind=kind,
                strategy="fixed",
                eligible=["cheap", "dear", "idle"],
                probabilities=[0.6, 0.3, 0.1],
                propensity={"cheap": 0.6, "dear": 0.3, "idle": 0.1}[plan],
                features_version=3,
                features=features_of(f"{kind} request {self.count}"),
                cost_usd=0.0001,
                latency_ms=100.0 * float(self.chance.uniform(0.9, 1.1)),
                status=503 if plan in failing and self.chance.random() < 0.5 else 200,
                **({"exposures": exposures} if exposures else {}),
            )
            rows.append(row)
            if row["status"] == 200:
                score = float(self.chance.random() < good(plan, kind))
                signals.append(signal(row, score))
        self.stored.write("requests", rows, "r1")
        self.stored.write("signals", signals, "r1")

    def plan_of(self, strategy, kind):
        plan = strategy.settings.get("plan")
        if strategy.kind == "function":
            return "dear"
        if plan is None or plan in strategy.without:
            plan = next(p for p in ("cheap", "dear", "idle") if p not in strategy.without)
        return plan

    def go(self, count, good, *, every=40, **more):
        for _ in range(count // every):
            self.send(every, good, **more)
            self.director.turn()

    def go_until(self, name, state, good):
        """Go on until the trial reaches this state; the chance of a run decides how soon."""
        most = self.count + 4000
        while self.book.trial(name).state != state and self.count < most:
            self.go(40, good)
        assert self.book.trial(name).state == state

    def states(self, name):
        return [news.state for news in self.journal.trials if news.name == name]


@pytest.fixture
def world(tmp_path):
    world = made(tmp_path)
    yield world
    world.stored.close()


def better(plan, kind):
    return {"cheap": 0.5, "dear": 0.9, "idle": 0.2}[plan]


def worse(plan, kind):
    return {"cheap": 0.9, "dear": 0.5, "idle": 0.2}[plan]


def alike(plan, kind):
    return 0.8


def test_a_better_candidate_is_adopted_by_steps_and_its_control_stays(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go_until("dearer", "adopted", better)
    assert world.book.serving.key == "always-dear"
    assert world.book.steering().holdout.slot.share == pytest.approx(0.98)
    world.go(400, better)
    assert world.book.serving.key == "always-dear"
    assert world.book.steering().holdout is not None
    states = world.states("dearer")
    assert states[0] == "running"
    assert "adopting" in states
    assert states[-1] == "adopted"
    shares = [news.settings["share"] for news in world.journal.trials if news.state == "adopting"]
    assert sorted(set(shares)) == [0.01, 0.1, 0.5]
    why = next(n.settings["why"] for n in world.journal.trials if n.state == "adopting")
    assert "Adopt: the candidate is better: utility +0." in why


def test_a_worse_candidate_is_not_adopted_and_its_numbers_are_kept(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(800, worse)
    trial = world.book.trial("dearer")
    assert (trial.state, world.book.serving.key) == ("kept", "always-cheap")
    assert trial.numbers["lift"]["mean"] < 0
    assert trial.why.startswith("Keep: ")


def test_where_adoption_is_not_allowed_an_operator_decides(tmp_path):
    world = made(tmp_path, adopt="false")
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(800, better)
    trial = world.book.trial("dearer")
    assert (trial.state, world.book.serving.key) == ("decided", "always-cheap")
    assert "waggle trial adopt dearer" in trial.why
    world.change(adopt, "dearer", world.now(), why="an operator adopted it")
    assert world.book.serving.key == "always-dear"
    world.stored.close()


@pytest.mark.slow
def test_a_strategy_that_turns_bad_after_its_adoption_is_rolled_back_with_an_event(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(4000, better, every=160)
    assert world.book.trial("dearer").state == "adopted"
    before = world.count

    def turned(plan, kind):
        return {"cheap": 0.5, "dear": 0.2, "idle": 0.2}[plan]

    while world.book.serving.key == "always-dear" and world.count - before < 2000:
        world.go(80, turned, every=80)
    assert world.book.serving.key == "always-cheap"
    trial = world.book.trial("dearer")
    assert trial.state == "rolled back"
    assert "it turned bad: utility -" in trial.why
    events = {(event.kind, event.subject, event.state) for event in world.journal.events}
    assert ("trial", "dearer", "rolled back") in events
    assert (
        "trial",
        "dearer",
        "share 0.5",
    ) in events  # before the rollback, half of the units went to the control


def test_failures_speak_against_a_candidate_that_was_never_judged(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(800, alike, failing=("dear",))
    assert world.book.trial("dearer").state == "kept"


@pytest.mark.slow
def test_a_trial_that_cannot_be_judged_is_its_own_event_and_stops_no_other(world):
    """A rule that this version does not know, and a row whose chance is missing."""
    world.change(open_trial, "strange", "always-idle", world.now(), traffic=0.5)
    world.change(open_trial, "dearer", "always-dear", world.now(), traffic=0.5)
    strange = world.book.trial("strange")
    world.book.trials[strange.id] = replace(strange, rules={"least_of_all": 3})
    world.send(40, better)
    world.director.turn()
    events = [event for event in world.journal.events if event.subject == "strange"]
    assert [event.state for event in events] == ["cannot be judged"]
    assert "least_of_all" in events[0].detail["why"]
    assert "It cannot be judged: TypeError" in shown(world, "strange")["why"]
    assert shown(world, "dearer")["numbers"]["requests"] > 10
    world.go_until("strange", "stopped", better)
    assert "it could not be judged 20 times in a row" in world.book.trial("strange").why
    world.go_until("dearer", "adopted", better)


def test_a_unit_that_cannot_be_read_costs_a_trial_only_this_unit(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.send(40, better)
    world.director.turn()
    exposure = {
        "trial_id": world.book.trial("dearer").id, "unit": "odd", "variant": "candidate",
        "chance": 0.0, "apart": True, "other": "dear",
    }  # fmt: skip
    row = request(world.at + 1, plan="cheap", kind="sql", exposures=[exposure])
    world.stored.write("requests", [row], "r2")
    world.director.turn()
    assert "chance = 0.0: a unit that is on a side" in shown(world, "dearer")["why"]
    world.go(200, better)
    states = [event.state for event in world.journal.events if event.subject == "dearer"]
    assert states == ["cannot be judged", "can be judged again"]
    assert shown(world, "dearer")["numbers"]["requests"] >= 240


def shown(world, name):
    trials = world.director.overview()["trials"]
    return next(trial for trial in trials if trial["name"] == name)


@pytest.mark.slow
def test_an_adoption_that_cannot_be_judged_goes_back_and_an_adopted_strategy_stays(world):
    for at_once, state in ((False, "rolled back"), (True, "adopted")):
        name = f"dearer-{at_once}"
        world.change(open_trial, name, "always-dear", world.now())
        world.change(adopt, name, world.now(), why="", by_steps=not at_once)
        trial = world.book.trial(name)
        world.book.trials[trial.id] = replace(trial, rules={"least_of_all": 3})
        world.go(1200, alike)
        assert world.book.trial(name).state == state
        assert "least_of_all" in world.book.trial(name).trouble


@pytest.mark.slow
def test_an_adopted_strategy_that_never_differs_from_its_control_is_no_error_and_stays(world):
    same = Strategy("slim", "same", without=("idle",))  # nothing chooses `idle`
    world.change(register, same, world.now())
    world.change(open_trial, "slim", "slim@1", world.now(), goal="no worse")
    world.change(adopt, "slim", world.now(), why="")
    world.go(2000, alike)
    assert world.book.trial("slim").state == "adopted"
    assert world.book.trial("slim").trouble == ""
    assert shown(world, "slim")["numbers"]["apart"] == {"candidate": 0, "current": 0}
    assert not [event for event in world.journal.events if "judged" in event.state]


def test_a_plan_that_hardly_serves_goes_if_it_was_judged_on_each_kind(world):
    """`idle` is never chosen, so no answers can be compared; but it was judged before."""
    world.change(register, Strategy("slim", "same", without=("idle",)), world.now())
    rules = {"studied": True}
    world.change(open_trial, "slim", "slim@1", world.now(), goal="no worse", rules=rules)
    world.go(1200, alike)
    assert world.book.trial("slim").state == "adopted"
    assert world.book.serving.without == ("idle",)


@pytest.mark.slow
def test_a_trial_of_a_simpler_strategy_that_never_differs_adopts_nobody(world):
    world.change(register, Strategy("slim", "same", without=("idle",)), world.now())
    world.change(open_trial, "slim", "slim@1", world.now(), goal="no worse")
    world.go(1200, alike)
    assert world.book.trial("slim").state == "running"
    assert "decide alike for 100.0% of requests" in shown(world, "slim")["why"]


@pytest.mark.parametrize("no_fault", slow_after(1, sorted(NOT_ITS_FAULT)))
def test_an_answer_that_the_machine_kept_back_counts_neither_for_a_function_nor_against_it(
    world, no_fault
):
    source = "def route(request, scores, similar):\n    return 'dear'\n"
    world.change(register, Strategy("good", "function", source=source), world.now())
    world.change(open_trial, "good", "good", world.now(), shadow=True, traffic=0.5)
    world.send(200, alike, trouble=no_fault)
    world.director.turn()
    assert world.book.trial("good").state == "shadow"
    world.send(200, alike)
    world.director.turn()
    assert world.book.trial("good").state == "running"
    assert "it answered all but 0" in world.book.trial("good").why


def test_a_function_leaves_its_shadow_only_if_it_answers(world):
    source = "def route(request, scores, similar):\n    return 'dear'\n"
    for name in ("good", "bad"):
        world.change(register, Strategy(name, "function", source=source), world.now())
    world.change(open_trial, "good", "good", world.now(), shadow=True, traffic=0.5)
    world.change(open_trial, "bad", "bad", world.now(), shadow=True, traffic=0.5)
    world.send(200, alike)
    good = world.book.trial("good")
    world.director.turn()
    assert world.book.trial("good").state == "running"
    assert "in the shadow" in world.book.trial("good").why
    assert phase_of(good) == "shadow"
    bad = world.book.trial("bad")
    line = {"do": "state", "at": world.now(), "trial": bad.id, "state": "shadow", "why": ""}
    world.change(write, line)
    world.director.reconfigure(world.config)  # makes the director read all rows of its trials anew
    world.send(200, alike, trouble="ValueError: no")
    world.director.turn()
    assert world.book.trial("bad").state == "vetoed"
    why = world.book.trial("bad").why
    assert "on 108 of 108 requests by its own fault, 108 times with: ValueError: no" in why


def test_a_shadow_ends_after_answers_however_many_calls_the_machine_kept_back(world):
    source = "def route(request, scores, similar):\n    return 'dear'\n"
    world.change(register, Strategy("good", "function", source=source), world.now())
    world.change(open_trial, "good", "good", world.now(), shadow=True)
    for trouble in (RESTING, "ValueError: once", RELOADING):
        world.send(1 if "once" in trouble else 40, alike, trouble=trouble)
        world.director.turn()
    world.send(19, alike)
    world.director.turn()
    assert world.book.trial("good").state == "shadow"
    numbers = shown(world, "good")["numbers"]
    assert [numbers[name] for name in ("shadowed", "troubled", "kept_back")] == [19, 1, 80]
    world.send(1, alike, trouble=NO_OPINION)  # no opinion is an answer
    world.director.turn()
    assert world.book.trial("good").state == "running"
    assert "of 21 requests it answered all but 1" in world.book.trial("good").why


def test_a_shadow_that_the_machine_never_lets_answer_is_stopped_and_not_vetoed(world):
    source = "def route(request, scores, similar):\n    return 'dear'\n"
    world.change(register, Strategy("good", "function", source=source), world.now())
    world.change(open_trial, "good", "good", world.now(), shadow=True)
    trials = world.config.trials.model_copy(update={"most_requests": 100})
    world.director.reconfigure(world.config.model_copy(update={"trials": trials}))
    world.go(120, alike, trouble=NOWHERE)
    assert world.book.trial("good").state == "stopped"
    assert "the machine kept it from answering 120" in world.book.trial("good").why


def test_a_new_director_comes_to_the_same_numbers_and_writes_no_row_twice(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(200, better)
    before = len(world.journal.trials)
    again = Director(world.config, world.journal, world.now)
    again.turn()
    ours = world.director.overview()["trials"][0]["numbers"]
    theirs = again.overview()["trials"][0]["numbers"]
    assert theirs["judged"] == ours["judged"]
    assert theirs["lift"]["mean"] == pytest.approx(ours["lift"]["mean"], abs=0.01)
    assert len([n for n in world.journal.trials if n.state == "running"]) <= before + 1


def test_a_unit_with_many_requests_counts_once(world):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.send(60, alike)
    slot = world.book.trial("dearer").slot
    side = assigned(Slot(**{**_plain(slot)}), "u1").side
    exposure = {
        "trial_id": slot.trial, "unit": "u1", "variant": side, "chance": 0.5, "apart": True,
        "other": "dear",
    }  # fmt: skip
    rows = [
        request(world.at + n, plan="cheap", kind="sql", exposures=[exposure]) for n in range(50)
    ]
    world.stored.write("requests", rows, "r2")
    world.director.turn()
    numbers = world.director.overview()["trials"][0]["numbers"]
    assert numbers["requests"] == 60


def _plain(slot):
    return {name: getattr(slot, name) for name in ("trial", "layer", "low", "high", "share")}


# -- proposals


def taught_view(world, good, rounds=150):
    """The view of a learner that was taught how good each plan is for each kind."""
    bandit = Bandit(taught(0))
    arms = [Arm(plan) for plan in ("cheap", "dear", "idle")]
    bandit.set_arms(arms)
    for n in range(rounds):
        for kind in KINDS:
            context = dict(context_of(features_of(f"{kind} request {n}"), kind, lens=0))
            context.pop("complexity", None)
            for arm in arms:
                quality = float(world.chance.random() < good(arm, kind))
                bandit.learn(Feedback(f"{n}{kind}{arm}", arm, context, quality))
                bandit.see(Outcome(arm, context, 1.0, 0.1), f"task={kind}")
    judged = dict.fromkeys(arms, 2 * rounds)
    counts = {(f"task={kind}", str(arm)): rounds for kind in KINDS for arm in arms}
    return LearnerView(bandit.policy(), 0, judged, (), counts, kind_in)


def by_kind(plan, kind):
    if plan == "idle":
        return 0.3
    return 0.95 if (plan == "dear") == (kind == "sql") else 0.4


def proposer(world):
    return Proposer(world.director, world.config, world.now)


def test_a_function_is_distilled_with_its_evidence_and_tried(world):
    world.go(400, by_kind)
    rows = world.rows()
    assert len(rows) == 400
    proposer(world).propose("distill", taught_view(world, by_kind), rows)
    trial = world.book.trial("distilled-1")
    assert (trial.state, trial.goal, trial.opened_by) == ("shadow", "no worse", "distiller")
    source = world.book.strategies["distilled@1"].source
    assert 'request["kind"] == "sql"' in source or 'request["kind"] == "chat"' in source
    assert 'return "dear"' in source
    assert "requests: dear is expected to be worth" in source
    assert returns_in(source) == 2
    assert source.count("\n") <= 30
    assert trial.replay["n"] == 400
    policies = {policy.version: policy for policy in world.journal.policies}
    assert policies["distilled@1"].settings["source"] == source


def test_rows_of_a_made_plan_do_not_keep_a_function_from_choosing_other_plans(world):
    """Such a row names only the two plans that the trial compares."""
    world.go(400, by_kind)
    rows = [replace(row, odds={Arm("idle"): 0.5, Arm("p1-steps-1"): 0.5}) for row in world.rows()]
    view = taught_view(world, by_kind)
    proposer(world).propose("distill", view, [*world.rows(), *rows[-60:]])
    assert world.book.trial("distilled-1").state == "shadow"


def test_rows_of_a_made_plan_do_not_hide_the_best_plan_from_what_is_distilled(world):
    world.go(400, by_kind)
    rows = [replace(row, odds={Arm("cheap"): 0.5, Arm("p1-steps-1"): 0.5}) for row in world.rows()]
    proposer(world).propose("distill", taught_view(world, by_kind), rows)
    assert 'return "dear"' in world.book.strategies["distilled@1"].source


def test_a_plan_that_the_learner_does_not_know_yet_is_not_distilled(world):
    world.go(400, by_kind)
    view = taught_view(world, by_kind)
    plans = [*map(Arm, ("cheap", "dear", "idle")), Arm("new")]
    rows = [replace(row, odds=dict.fromkeys(plans, 0.25)) for row in world.rows()]
    table = table_of(rows, view.replay(world.config), plans)
    assert np.isfinite(table.worth).all()
    assert {leaf.arm for leaf in leaves_of(distilled(table))} == {"cheap", "dear"}


def test_replay_vetoes_a_strategy_that_logged_answers_show_to_be_worse(world):
    world.go(1200, lambda plan, kind: 0.9 if plan == "cheap" else 0.1)
    with pytest.raises(Exception, match=r"replay: 1,200 logged answers put it at") as error:
        enter(
            world.director,
            world.config,
            Proposal(Strategy("bad", "fixed", settings={"plan": "dear"}), "better", "author", ""),
            taught_view(world, worse),
            shifted(world.rows()),
            world.now(),
        )
    assert "of utility, and what served had" in str(error.value)
    assert not world.book.trials


def shifted(rows):
    """These rows, but every third request went to `dear` and got a worthless answer."""
    return [
        replace(row, plan=Arm("dear"), propensity=0.3, quality=0.0) if n % 3 == 0 else row
        for n, row in enumerate(rows)
    ]


def test_a_plan_that_adds_nothing_is_found_and_goes_by_trial(world):
    world.go(400, by_kind)
    book = world.book
    world.change(open_trial, "learn", "bandit", world.now())
    world.adopt_at_once("learn")
    rows = world.rows()
    proposer(world).propose("simplify", taught_view(world, by_kind), rows)
    trial = book.trial("without-idle-1")
    assert (trial.goal, trial.slot.layer) == ("no worse", "plans")
    assert trial.rules == {"studied": True, "most_harm": 0.1}
    assert "6 paths become 4; c would not be needed" in trial.effect
    assert paths(world.config, Strategy("bandit", "bandit"), KINDS) == 6


def test_a_plan_that_is_best_for_some_kind_is_never_idle(world):
    world.go(400, by_kind)
    world.change(open_trial, "learn", "bandit", world.now())
    world.adopt_at_once("learn")
    rows = world.rows()
    proposer(world).propose("simplify", taught_view(world, by_kind), rows)
    gone = world.book.strategies[world.book.live[-1].candidate].without
    assert gone == ("idle",)


def test_a_plan_that_was_hardly_tried_on_a_kind_is_not_left_out(world):
    """The learner's estimate for that kind comes from the other kind, and may be wrong there."""
    world.go(400, by_kind)
    world.change(open_trial, "learn", "bandit", world.now())
    world.adopt_at_once("learn")
    view, rows = taught_view(world, by_kind), world.rows()
    few = {**view.judged_by_kind, ("task=sql", "idle"): 3}
    with pytest.raises(Rejected, match="too little is known of idle"):
        proposer(world).propose("simplify", replace(view, judged_by_kind=few), rows)
    proposer(world).propose("simplify", view, rows)
    assert world.book.trial("without-idle-1").state == "running"


@pytest.mark.parametrize("quality", [0.2, 0.97])
def test_a_plan_goes_only_if_it_could_add_less_than_the_margin_to_the_kinds(world, quality):
    """Where the best plan is nearly perfect, even the best answers could not add much."""
    world.go(400, alike)
    rows = world.rows()

    def good(plan, kind):
        return quality if plan != "idle" else 0.1

    view = taught_view(world, good)
    replay = view.replay(world.config)
    search = find_idle(
        world.config, replay, Strategy("bandit", "bandit"), rows, view.judged, 0.05,
        tried=lambda row, plan: 0 if plan == "idle" else 150,
    )  # fmt: skip
    gone = search.idle.plans if search.idle is not None else ()
    assert ("idle" in gone) == (quality > 0.9)
    assert ("idle" in search.unsure) == (quality < 0.9)


@pytest.mark.slow
def test_what_a_trial_kept_out_is_proposed_again_only_with_new_evidence(world):
    world.go(400, by_kind)
    world.change(open_trial, "learn", "bandit", world.now())
    world.adopt_at_once("learn")
    view, rows, proposing = taught_view(world, by_kind), world.rows(), proposer(world)
    proposing.propose("simplify", view, rows)
    world.change(stop, "without-idle-1", world.now())
    for _ in range(2):  # soon after its end, what is known is kept
        world.change(write, {"do": "ask", "at": world.now(), "what": "simplify"})
        proposing.turn(lambda: view)
        assert world.book.trial("without-idle-1").judged["idle"] == 300
    names = [trial.name for trial in world.book.trials.values()]
    assert [name for name in names if "without" in name] == ["without-idle-1"]
    same = Strategy("other-name", "same", without=("idle",))
    with pytest.raises(Rejected, match="trial without-idle-1 kept the same out"):
        enter(world.director, world.config, Proposal(same, "no worse", "", ""), view, rows, 0)
    doubled = replace(view, judged={**view.judged, "idle": 600})
    proposing.propose("simplify", doubled, rows)
    assert world.book.live[-1].name == "without-idle-2"


def test_another_price_is_new_evidence(world):
    world.go(400, by_kind)
    world.change(register, Strategy("slim", "same", without=("idle",)), world.now())
    world.change(open_trial, "slim", "slim@1", world.now())
    world.change(stop, "slim", world.now())
    judged = {"cheap": 500, "dear": 500, "idle": 500}
    world.change(evidence_lines, world.config, judged, world.now())
    assert len(kept_out(world.book, world.config, judged)) == 1
    backends = world.config.backends
    price = backends["c"].price.model_copy(update={"input": 1.0})
    cheaper = backends | {"c": backends["c"].model_copy(update={"price": price})}
    assert not kept_out(world.book, world.config.model_copy(update={"backends": cheaper}), judged)
    assert not kept_out(world.book, world.config, {**judged, "idle": 1000})


@pytest.mark.slow
def test_a_plan_is_tried_without_each_of_its_stages_on_few_requests(tmp_path):
    world = made(tmp_path)
    plans = {"cheap": {"pipeline": ["a", "b", "c"], "gate": {"schema": True}},
             "dear": {"ask": "b"}}  # fmt: skip
    dumped = world.config.model_dump(mode="json") | {"plans": plans}
    dumped["objective"] = {"strategy": "bandit"}
    config = Config.model_validate(dumped)
    world.director.reconfigure(config)
    world.config = config
    world.go(400, lambda plan, kind: 0.9 if plan == "cheap" else 0.3)
    rows = world.rows()
    view = taught_view(world, by_kind)
    proposer = Proposer(world.director, config, world.now)
    tried = []
    for _ in range(5):
        before = set(world.book.trials)
        try:
            proposer.propose("simplify", view, rows)
        except Rejected:
            break
        (trial,) = [trial for id_, trial in world.book.trials.items() if id_ not in before]
        tried.append(trial)
        world.change(stop, trial.name, world.now())
    names = [world.book.strategies[trial.candidate].instead for trial in tried]
    assert {"cheap": "cheap~b"} in names
    assert {"cheap": "cheap~c"} in names
    assert {"cheap": "cheap~gate"} in names
    assert all(trial.slot.share == 0.25 for trial in tried if "less" in trial.name)
    world.stored.close()


def test_rows_of_a_simpler_plan_count_for_the_plan_it_stands_for(world):
    row = request(NOON, plan="cheap~b", kind="sql", strategy="bandit", eligible=["cheap~b", "dear"],
                  probabilities=[0.7, 0.3], propensity=0.7, features_version=3,
                  features=features_of("sql request"))  # fmt: skip
    world.stored.write("requests", [row], "r1")
    world.stored.write("signals", [signal(row, 1.0)], "r1")
    (decision,) = world.rows()
    assert (decision.plan, dict(decision.odds)) == ("cheap", {"cheap": 0.7, "dear": 0.3})


def test_a_function_that_an_author_wrote_passes_the_gates_or_is_refused_with_the_reason(world):
    world.go(400, by_kind)
    config = world.config.model_copy(
        update={"trials": world.config.trials.model_copy(update={"writer": "a"})}
    )
    proposer = Proposer(world.director, config, world.now)
    view = taught_view(world, by_kind)
    rows = world.rows()
    proposer.propose("write", view, rows)
    errand = proposer.errand
    assert errand.backend == "a"
    assert "def route(request, scores, similar)" in errand.prompt
    assert "Where it is worth least:" in errand.prompt
    bad = (
        "Here you are:\n```python\nimport os\ndef route(request, scores, similar):\n  return 1\n```"
    )
    proposer.hear((errand.id, bad), lambda: view)
    assert "lint: line 1: import is not needed" in world.book.notes[-1]["why"]
    (version,) = versions_of(world.book)
    assert [each.score for each in version.achieved] == [0.0]
    proposer.propose("write", view, rows)
    assert "- 0.00: lint: line 1: import is not needed" in proposer.errand.prompt
    good = "```python\ndef route(request, scores, similar):\n    return 'dear'\n```"
    proposer.hear((proposer.errand.id, good), lambda: view)
    trial = world.book.trial("written-1")
    assert (trial.opened_by, trial.state) == ("author", "shadow")
    assert world.book.strategies["written@1"].evidence.endswith("asked by prompt 1")


def test_nothing_is_proposed_before_there_are_enough_judged_answers(world):
    world.send(50, by_kind)
    world.change(write, {"do": "ask", "at": world.now(), "what": "distill"})
    proposer(world).turn(lambda: taught_view(world, by_kind, 5))
    assert "50 judged answers are known, and 300 are needed" in world.book.notes[-1]["why"]


def test_a_task_that_fails_is_noted_and_stops_no_other_task(world):
    world.go(400, by_kind)
    for task in ("distill", "simplify"):
        world.change(write, {"do": "ask", "at": world.now(), "what": task})
    broken = replace(taught_view(world, by_kind), bandit=None)
    proposer(world).turn(lambda: broken)
    failed = [note for note in world.book.notes if note["what"] == "failed"]
    assert "distill" in [note["subject"] for note in failed]
    assert all("NoneType" in note["why"] for note in failed)


def test_a_mix_without_shares_costs_what_is_spent(world):
    wish = {"do": "register", "name": "toss", "kind": "mix"}
    assert "0 plans were tried" in act(world.director, wish, world.now())["rejected"]
    rows = [request(NOON + n, plan=("cheap", "dear")[n % 4 == 0], strategy="bandit",
                    cost_usd=(0.001, 0.009)[n % 4 == 0]) for n in range(80)]  # fmt: skip
    world.stored.write("requests", rows, "r1")
    strategies = act(world.director, wish, world.now())["strategies"]
    made = next(strategy for strategy in strategies if strategy["key"] == "toss@1")
    assert made["settings"]["shares"] == {"cheap": 0.75, "dear": 0.25}


# -- over the wire


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"do": "dance"}, "do = 'dance': one of new, stop"),
        ({}, "do = None"),
        ({"do": "new"}, "new needs the name of a trial"),
        ({"do": "new", "name": "t"}, "new needs a candidate"),
        ({"do": "new", "name": "t", "candidate": "bandit", "splt": 1}, "splt: new takes name"),
        ({"do": "new", "name": "t", "candidate": "bandit", "split": "x"}, "split = 'x'"),
        ({"do": "new", "name": "t", "candidate": "bandit", "goal": "win"}, "goal = 'win'"),
        ({"do": "stop", "name": "t"}, "no trial is called that"),
        ({"do": "adopt", "name": "t"}, "no trial is called that"),
        ({"do": "rollback"}, "nothing to roll back"),
        ({"do": "rollback", "to": "nobody"}, "no strategy is called that"),
        ({"do": "register", "name": "a b", "kind": "mix"}, "letters, digits"),
        ({"do": "register", "name": "m", "kind": "mix", "settings": []}, "settings are an object"),
        ({"do": "register", "name": "m", "kind": "mox"}, "no kind is called that"),
        (
            {"do": "register", "name": "m", "kind": "function", "source": "import os\n"},
            "strategy m: it has no function `route`",
        ),
    ],
)
def test_a_wish_that_cannot_be_granted_says_why(world, wish, why):
    assert why in act(world.director, wish, world.now())["rejected"]


def test_a_trial_is_opened_shown_and_stopped_over_the_wire(world):
    wanted = {"do": "new", "name": "t", "candidate": "bandit", "traffic": 0.2}
    answer = act(world.director, wanted, world.now())
    assert answer["trials"][0]["state"] == "running"
    assert answer["trials"][0]["traffic"] == pytest.approx(0.2)
    orjson.dumps(answer)
    answer = act(world.director, {"do": "stop", "name": "t"}, world.now())
    assert answer["trials"][0]["state"] == "stopped"


@pytest.mark.parametrize("step", slow_after(1, [-86_400 // 2, -3600, 3600, 2 * 86_400 + 1]))
def test_a_trial_counts_the_requests_after_a_step_of_the_clock_there_and_back(world, step):
    world.change(open_trial, "dearer", "always-dear", world.now())
    world.go(80, alike)
    counts = [compared(world)]
    for ahead in (step, -step):
        world.at += ahead * 1_000_000
        world.go(80, alike)
        counts.append(compared(world))
    assert counts == [80, 160, 240]


def compared(world):
    """How many requests the trial has compared."""
    (trial,) = orjson.loads((world.config.trials_folder / "numbers.json").read_bytes()).values()
    return trial["numbers"]["requests"]
