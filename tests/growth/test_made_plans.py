"""Made plans: who is answered by one, how it enters, stays and goes, and what a kill leaves."""

import itertools
import json
from dataclasses import replace

import pytest

from learner.assignment import Slot
from router.config.config import Config
from router.domain import Request, Trace
from router.growth.examples import own_words
from router.growth.fewer import dominated, merged
from router.growth.forgetting import forget_made
from router.growth.growth_requests import act
from router.growth.overview import exported
from router.growth.recipes import instruction_in
from router.growth.routes import routed_to
from router.growth.spawner import Spawner
from router.growth.spawning import REST_SECONDS
from router.growth.traffic import Traffic
from router.keys import Key, save_keys
from router.plans.compiled import Plans
from router.plans.made import MadePlan, compiled_from, forget_words, keep_words
from router.request.patterns import Pattern, Patterns, bucket
from router.request.reading import reading_of
from router.routing.case import Surroundings
from router.routing.decide import route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of
from router.routing.strategies import Strategy
from router.telemetry.rows import request_row
from router.trials.book import Rejected, Trial, candidate_of
from router.trials.changes import adopt, state_line
from router.trials.director import Director
from router.trials.ledger import Ledger
from router.trials.made_trials import adopt_made, alpha_of, doubt, end_by_hand, make, state_of
from tests.fakes import MemoryJournal
from tests.kills import killed_midway
from tests.sparing import slow_after
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

NOTHING = Traffic(0, {})
PATTERNS = Patterns(1, (Pattern("p1", "invoice", {bucket("invoice"): 1.0}, 0.5),))
BACKEND = {
    "kind": "openai",
    "base_url": "http://127.0.0.1:1/v1",
    "price": {"input": 1, "output": 1},
}
STEPS = MadePlan("p1-steps-1", "p1", "x", {"ask": "a", "instruct": "Step by step."}, at=1.0)
SHOWN = [{"prompt": "whose invoice is this", "answer": "Ada's"}] * 3
EXAMPLES = MadePlan("p1-examples-1", "p1", "x", {"ask": "a", "examples": SHOWN}, scope="group g")


def config_in(folder, *, growth=None, plan="y", more=None, **trials):
    return Config.model_validate(
        {
            "server": {"data": str(folder)},
            "backends": {"a": BACKEND, "b": BACKEND, "own": {"kind": "generator"}},
            "plans": {"x": {"ask": "a"}, "y": {"ask": "b"}, "z": {"ask": "own"}},
            "objective": {"strategy": "fixed", "plan": plan},
            "telemetry": {"prompts": True, "answers": True},
            "trials": {"propose": True, "adopt": True, **trials},
            "growth": growth or {},
            **(more or {}),
        }
    )


@pytest.fixture(autouse=True)
def steady_ids(monkeypatch):
    """The id of a trial decides which side each unit falls on: the same in every run."""
    numbers = itertools.count(1)
    monkeypatch.setattr("router.trials.made_trials.new_id", lambda _: f"t{next(numbers)}")


@pytest.fixture
def world(tmp_path):
    world = World(config_in(tmp_path))
    yield world
    world.stored.close()


class World:
    """The learner's side of growth, over telemetry that a test writes."""

    def __init__(self, config):
        self.config, self.at, self.count = config, NOON, 0
        self.stored = Stored(config.telemetry_folder)
        self.journal = MemoryJournal()
        self.director = Director(config, self.journal, self.now)
        self.spawner = Spawner(self.director, config, self.now)

    def now(self):
        return self.at / 1e6

    @property
    def book(self):
        return self.director.book

    def enter(self, made):
        keep_words(self.config.growth_folder, made)
        self.director.change(make, made, self.now(), waits=False, alpha=0.05, most=400)

    def decide(self, text="the invoice", n=0, **more):
        around = {"scope": "group g", "patterns": PATTERNS, **more.pop("around", {})}
        around["steering"] = self.director.steering
        plans = Plans(self.config, around["steering"].made)
        fields = {"messages": [{"role": "user", "content": text}]}
        usual = {
            "id": f"r{n}", "body": b"{}", "fields": fields, "model": "auto", "stream": False,
            "include_usage": False, "session": "s", "session_given": False, "continues": False,
        } | more  # fmt: skip
        sent = Request(**usual, reading=reading_of(fields))
        by = Deciders(policy_of(plans))
        return sent, route(plans, by, sent, Surroundings(**around), uniform=0.5)

    def write(self, count, good, **given):
        """Decide and write requests of the pattern; `good(plan, n)` says whether one is good."""
        rows, signals = [], []
        for _ in range(count):
            self.at += MINUTE
            self.count += 1
            _, decision = self.decide(n=self.count)
            exposures = [
                {"trial_id": e.trial, "unit": e.unit, "variant": e.side, "chance": e.chance,
                 "apart": e.apart, "other": e.other}
                for e in decision.exposures
            ]  # fmt: skip
            row = request(
                self.at, plan=str(decision.plan), pattern="p1", prompt=f"invoice {self.count}",
                answer=f"answer {self.count}", **{"exposures": exposures} if exposures else {},
            ) | given  # fmt: skip
            rows.append(row)
            signals.append(signal(row, float(good(row["plan"], self.count))))
        self.stored.write("requests", rows, "r1")
        self.stored.write("signals", signals, "r1")


def made_sides(world, **more):
    return [world.decide(n=n, **more)[1] for n in range(60)]


def test_a_made_plan_answers_half_of_its_pattern_and_nothing_else(world):
    world.enter(STEPS)
    inside = made_sides(world)
    assert {d.plan for d in inside} == {"p1-steps-1", "x", "y"}
    assert all(d.exposures[0].apart for d in inside)
    beside = [{plan for plan, odds in d.probabilities.items() if odds == 0.5} for d in inside]
    assert 15 < beside.count({"p1-steps-1", "x"}) < 45  # the plan that it was made from
    assert all(each in ({"p1-steps-1", "x"}, {"p1-steps-1", "y"}) for each in beside)
    outside = [world.decide("a poem", n=n)[1] for n in range(20)]
    assert {d.plan for d in outside} == {"y"}
    assert not any(d.exposures for d in outside)


@pytest.mark.parametrize(
    "more",
    [{"only": ("x", "y")}, {"max_latency_ms": 5.0}, {"around": {"allowed": ("y",)}}],
    ids=str,
)
def test_a_caller_who_bounds_the_plans_gets_no_made_plan(world, more):
    world.enter(STEPS)
    assert {d.plan for d in made_sides(world, **more)} <= {"x", "y"}


def test_words_of_callers_answer_only_requests_of_their_owner(world):
    world.enter(EXAMPLES)
    assert {d.plan for d in made_sides(world)} == {"p1-examples-1", "x", "y"}
    assert {d.plan for d in made_sides(world, around={"scope": "key k"})} == {"y"}
    assert {d.plan for d in made_sides(world, around={"scope": ""})} == {"y"}


def test_the_book_and_telemetry_hold_no_words_and_a_plan_that_goes_takes_its_words_along(world):
    world.enter(EXAMPLES)
    folder = world.config.growth_folder
    assert "Ada" in (folder / "examples" / "p1-examples-1.json").read_text()
    details = [event.detail for event in world.journal.events]
    assert "Ada" not in world.director.ledger.path.read_text() + json.dumps(details)
    assert "Ada" not in json.dumps(act(world.director, {"do": "list"}, 1.0))
    assert world.director.steering.made == (EXAMPLES,)
    world.director.change(end_by_hand, EXAMPLES.name, world.now(), "removed")
    forget_words(folder, [])
    assert not list((folder / "examples").iterdir())


def test_when_a_caller_is_forgotten_the_plans_made_of_its_words_end(world):
    keep_words(world.config.growth_folder, EXAMPLES, ["r1", "r2"])
    world.director.change(make, EXAMPLES, world.now(), waits=False, alpha=0.05, most=400)
    assert forget_made(world.config, ["r9"], 2.0) == []
    assert forget_made(world.config, ["r2"], 2.0) == [EXAMPLES.name]
    assert not list((world.config.growth_folder / "examples").iterdir())
    world.director.turn()
    assert state_of(world.book, EXAMPLES.name) == "removed"
    assert not world.director.steering.made


def test_where_the_words_of_examples_are_gone_the_plan_answers_nothing(world):
    world.enter(EXAMPLES)
    forget_words(world.config.growth_folder, [])
    assert world.director.steering.lives == world.director.steering.made == ()


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"ask": "nobody"}, "no backend is called that. Known: a, b, learned, own"),
        ({"ask": "a", "instruct": 3}, "Input should be a valid string"),
        ({"ask": "own", "instruct": "hi"}, "own reads no instructions"),
    ],
)
def test_a_made_plan_is_checked_as_if_it_stood_in_the_file(tmp_path, plan, why):
    made = MadePlan("p1-steps-1", "p1", "x", plan)
    with pytest.raises(ValueError, match=why):
        compiled_from(config_in(tmp_path), made)


def test_a_better_plan_is_adopted_watched_and_taken_back_when_it_turns_bad(world):
    world.enter(STEPS)
    better = {"p1-steps-1": 9, "x": 4, "y": 4}
    turn(world, 20, lambda plan, n: n * 7 % 10 < better[plan])
    assert state_of(world.book, STEPS.name) == "adopted"
    assert world.director.steering.lives[0].slot.share == pytest.approx(0.95)
    worse = {"p1-steps-1": 2, "x": 4, "y": 4}
    turn(world, 20, lambda plan, n: n * 7 % 10 < worse[plan])
    assert state_of(world.book, STEPS.name) == "rolled back"
    assert not world.director.steering.lives
    details = [e.state for e in world.journal.events if e.kind == "growth"]
    assert details == ["made", "adopted", "rolled back"]


@pytest.mark.slow
def test_while_a_plan_is_in_doubt_another_one_is_tried_in_its_place(world):
    world.enter(STEPS)
    turn(world, 20, lambda plan, n: n * 7 % 10 < {"p1-steps-1": 9, "x": 6, "y": 6}[plan])
    assert state_of(world.book, STEPS.name) == "adopted"
    world.spawner.turn()
    assert list(world.book.made) == [STEPS.name]
    while world.book.trial(STEPS.name).share > 0.5:
        turn(world, 1, lambda plan, n: n * 7 % 10 < {"p1-steps-1": 3, "x": 6, "y": 6}[plan])
    world.at += MINUTE
    world.write(10, lambda plan, n: n % 2, key_id="")
    world.spawner.turn()
    assert len(world.book.made) == 2
    (trial,) = world.book.live
    assert trial.state == "running"
    assert state_of(world.book, STEPS.name) == "adopted"


def test_a_plan_of_an_earlier_book_is_read():
    assert MadePlan.read({**STEPS.written(), "hope": 0.3}) == STEPS


def test_a_plan_that_does_nothing_is_kept_out_early(world):
    world.enter(STEPS)
    good = {"p1-steps-1": 4, "x": 6, "y": 6}
    turn(world, 15, lambda plan, n: n * 7 % 10 < good[plan])
    trial = world.book.trial(STEPS.name)
    assert trial.state == "kept"
    assert "hardly adds 0.23 to what serves" in trial.why


@pytest.mark.slow
def test_a_plan_gets_no_credit_for_what_the_plan_that_it_was_made_from_does(world):
    world.enter(STEPS)
    good = {"p1-steps-1": 9, "x": 9, "y": 1}
    turn(world, 20, lambda plan, n: n * 7 % 10 < good[plan])
    trial = world.book.trial(STEPS.name)
    assert trial.state == "kept"
    assert "hardly adds 0.16 to x there" in trial.why


@pytest.mark.slow
def test_where_another_plan_would_do_a_route_to_it_is_adopted_and_no_made_plan(world):
    world.enter(STEPS)
    good = {"p1-steps-1": 9, "x": 9, "y": 1}
    turn(world, 20, lambda plan, n: n * 7 % 10 < good[plan])
    assert state_of(world.book, STEPS.name) == "kept"
    world.spawner.turn()
    assert list(world.book.made) == [STEPS.name, "p1-route-1"]
    turn(world, 20, lambda plan, n: n * 7 % 10 < good[plan])
    assert state_of(world.book, "p1-route-1") == "adopted"
    assert world.director.steering.made == ()  # it is no plan of its own
    inside = made_sides(world)
    assert sum(d.plan == "x" for d in inside) > 50
    assert {d.plan for d in made_sides(world, around={"allowed": ("y",)})} == {"y"}
    assert exported(world.book, world.config.growth_folder, words=True) == ({}, [])
    turn(world, 20, lambda plan, n: n * 7 % 10 < {"x": 1, "y": 6}[plan])
    assert state_of(world.book, "p1-route-1") == "rolled back"


@pytest.mark.parametrize(("answers", "route"), [(20, ""), (200, "x")])
def test_a_few_good_answers_of_another_plan_are_no_route(world, answers, route):
    world.enter(STEPS)
    trial = world.book.trial(STEPS.name)
    world.director.change(lambda _: [state_line(trial, "kept", 2.0, "it adds nothing")])
    rows = [("p1", "x", answers, answers, float(answers), 0.8, 0.001, 0.5)]
    rows.append(("p1", "y", 500, 500, 500.0, 0.65, 0.001, 0.5))
    (each,) = Traffic.of(rows).patterns.values()
    assert (routed_to(world.book, world.config, each) or ("",))[0] == route


def test_what_is_expected_of_a_made_plan_begins_as_its_parent_is_there(world):
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    world.write(60, lambda plan, n: n * 7 % 10 < 3)
    world.enter(replace(STEPS, parent="y", plan={"ask": "b", "instruct": "Step by step."}))
    world.spawner.turn()
    first = world.director.believed[STEPS.name]
    assert first.quality == pytest.approx(0.3, abs=0.05)
    turn(world, 3, lambda plan, n: plan != "y")
    world.spawner.turn()
    later = world.director.believed[STEPS.name]
    assert first.quality + 0.2 < later.quality < 0.9
    assert later.deviation < first.deviation
    assert world.director.steering.believed == world.director.believed  # routers explain by it
    (row,) = act(world.director, {"do": "list"}, 1.0)["plans"]
    assert row["believed"]["quality"] == later.quality


def turn(world, times, good):
    for _ in range(times):
        world.write(20, good)
        world.director.turn()


def test_growth_makes_plans_one_recipe_after_the_other(world):
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    world.write(30, lambda _, n: n % 2, key_id="")
    world.spawner.turn()
    made = world.book.made["p1-examples-1"]
    assert (made.pattern, made.parent, made.scope) == ("p1", "y", "key ")
    assert state_of(world.book, made.name) == "running"
    assert len(world.director.steering.made[0].plan["examples"]) == 5
    world.director.change(end_by_hand, made.name, world.now(), "forbidden")
    world.at += MINUTE
    world.spawner.turn()
    assert list(world.book.made) == ["p1-examples-1", "p1-steps-1"]


def test_a_pattern_whose_plan_an_operator_removed_gets_no_other_one_for_a_week(world):
    world.enter(STEPS)
    world.director.change(adopt_made, world.book.trial(STEPS.name), world.now(), "it is better")
    world.director.change(end_by_hand, STEPS.name, world.now(), "removed")
    for _ in range(3):
        world.at += MINUTE
        world.write(40, lambda plan, n: n * 7 % 10 < 3)
        world.spawner.turn()
    assert list(world.book.made) == [STEPS.name]
    world.at += int(REST_SECONDS * 1e6)
    world.write(40, lambda plan, n: n * 7 % 10 < 3)
    world.spawner.turn()
    assert len(world.book.made) == 2


def test_growth_stays_off_where_no_trial_may_be_opened(tmp_path):
    world = World(config_in(tmp_path, propose=False))
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    world.write(30, lambda _, n: n % 2)
    world.spawner.turn()
    world.stored.close()
    assert not world.book.made


def test_examples_are_of_one_owner_and_never_what_was_not_to_be_stored(world):
    keys = [Key(id=i, name=i, salt="00", digest="", shares="g" if i < "c" else "") for i in "abc"]
    save_keys(world.config.keys_file, keys)
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    for key_id, count in (("a", 4), ("b", 4), ("c", 3)):
        world.write(count, lambda *_: True, key_id=key_id)
    world.write(4, lambda *_: True, key_id="a", no_store=True)
    words = world.spawner._words("p1", 0.0)
    assert words.owner == "group g"
    taken = sorted((each.prompt, each.answer) for each in words.good)
    assert taken == sorted((f"invoice {n}", f"answer {n}") for n in range(1, 9))
    assert own_words(world.director.telemetry, "p1", 0, lambda key_id: key_id).good == ()


def test_a_request_says_in_its_row_that_it_is_not_to_be_stored(world):
    world.enter(STEPS)
    sent, decision = world.decide(no_store=True)
    assert request_row(Trace(sent, decision, 1.0))["no_store"] is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no instruction"),
        ("Write. " * 200, "at most 600"),
        ("Send it to bob@example.com", "address"),
        ("Use the key sk-abcdef12", "secret"),
        ("The total of Ada's last invoice is due", "5 words in a row"),
    ],
)
def test_what_an_author_writes_passes_gates(text, why):
    with pytest.raises(ValueError, match=why):
        instruction_in(text, ["what is the total of Ada's last invoice, please?"])
    assert instruction_in("```Work in steps.```", ["hi"]) == "Work in steps."


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"do": "grow"}, "one of approve, forbid, remove or list"),
        ({"do": "forbid"}, "needs the name"),
        ({"do": "forbid", "name": "no"}, "no made plan has this name. There are: p1-steps-1"),
        ({"do": "remove", "name": "p1-steps-1", "x": 1}, "x: remove takes name"),
    ],
)
def test_a_wrong_command_is_told_what_is_wrong(world, wish, why):
    world.enter(STEPS)
    assert why in act(world.director, wish, 1.0)["rejected"]


def test_a_person_approves_forbids_and_exports(world):
    made = STEPS
    world.director.change(make, made, 1.0, waits=True, alpha=0.05, most=400)
    assert state_of(world.book, made.name) == "waiting"
    assert not world.director.steering.lives
    for state in ("running", "adopted"):
        plans = act(world.director, {"do": "approve", "name": made.name}, 2.0)["plans"]
        assert [plan["state"] for plan in plans] == [state]
        if state == "running":
            with pytest.raises(Rejected, match="waggle growth approve"):
                world.director.change(adopt, made.name, 3.0, why="")
    assert exported(world.book, world.config.growth_folder, words=False) == (
        {"p1-steps-1": {"ask": "a", "instruct": "Step by step."}},
        [],
    )
    act(world.director, {"do": "forbid", "name": made.name}, 3.0)
    assert state_of(world.book, made.name) == "forbidden"
    assert not world.director.steering.lives


def test_all_trials_of_growth_share_one_alpha(world):
    total = 0.0
    for n in range(2000):
        alpha = alpha_of(world.book, 0.05)
        total += alpha
        world.book.trials[str(n)] = ended(n)
    assert 0.06 < total < 0.1  # one side of the interval has half of it


def ended(n):
    slot = Slot(str(n), "pattern p1", 0.0, 1.0, 0.5)
    return Trial(str(n), "p1-x", "p1-x@1", "y", slot, "kept", "growth", 1.0, 1.0, pattern="p1")


def test_a_kill_in_the_middle_of_growth_leaves_nothing_half_made(tmp_path, monkeypatch):
    monkeypatch.undo()  # each child makes ids of its own
    config = config_in(tmp_path)

    def grow():
        ledger = Ledger(config.trials_folder, config)
        ledger.follow()
        for n in range(30):
            count = len(ledger.book.made)
            name = f"p{count}-examples-1"
            made = MadePlan(name, f"p{count}", "x", EXAMPLES.plan, scope="key k", at=float(n))
            keep_words(config.growth_folder, made)
            ledger.change(make, made, float(n), waits=False, alpha=0.01, most=400)
            trial = ledger.book.trial(name)
            ledger.change(adopt_made, trial, float(n), "")

    died, made = 0, 0
    for size in range(400, 30_000, 1517):
        died += killed_midway(grow, after_bytes=size)
        director = Director(config, MemoryJournal(), lambda: 1.0)
        book, steering = director.book, director.steering
        assert len(book.made) >= made  # nothing is lost
        made = len(book.made)
        if steering is None:
            continue
        carried = {each.name for each in steering.made}
        assert {live.name for live in steering.lives} == carried
        assert all(each.plan["examples"] == SHOWN for each in steering.made)
        for trial in book.trials.values():
            assert trial.candidate == candidate_of(book.made[trial.name]).key
        Spawner(director, config, lambda: 2.0).tidy(NOTHING)
        assert all(state_of(book, name) != "made" for name in book.made)
    assert died > 5


def test_the_sides_of_a_made_plans_trial_share_what_serves(world):
    world.enter(STEPS)
    calls = []

    def call_function(_strategy, arguments):
        calls.append(arguments)
        return "y"

    code = Strategy("code", "function", 1, source="...")
    steering = replace(world.director.steering, serving=code)
    plans = Plans(world.config, steering.made)
    sent, _ = world.decide()
    around = Surroundings(
        scope="group g", patterns=PATTERNS, steering=steering, call_function=call_function
    )
    decision = route(plans, Deciders(policy_of(plans)), sent, around, uniform=0.5)
    assert decision.exposures[0].apart
    assert len(calls) == 1


def before_the_author(folder):
    """A world in which the recipes before the author's are forbidden."""
    world = World(config_in(folder, growth={"author": "b"}))
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    world.write(30, lambda _, n: n % 2)
    for recipe in ("examples", "steps"):
        world.at += MINUTE
        world.spawner.turn()
        world.director.change(end_by_hand, f"p1-{recipe}-1", world.now(), "forbidden")
    return world


def test_an_author_writes_an_instruction_which_answers_the_owner_of_the_words_alone(tmp_path):
    world = before_the_author(tmp_path)
    for answer in ("see http://example.com", "", "Name the vendor first."):
        world.at += MINUTE
        world.write(1, lambda *_: True)
        world.spawner.turn()
        errand = world.spawner.errand
        assert errand.backend == "b"
        assert "<good-answer>\nanswer 29\n</good-answer>" in errand.prompt
        world.spawner.hear((errand.id, answer))
        assert world.spawner.errand is None
    world.stored.close()
    refusals = [note["why"] for note in world.book.notes]
    assert refusals == [
        "the instruction holds an address, a long number or what may be a secret",
        "the author gave no instruction",
    ]
    made = world.book.made["p1-author-1"]
    assert (made.plan, made.author, made.scope) == (
        {"ask": "b", "instruct": "Name the vendor first."}, "b", "key ",
    )  # fmt: skip
    assert state_of(world.book, made.name) == "running"


def test_an_author_is_not_asked_for_ever(tmp_path):
    world = before_the_author(tmp_path)
    asked_for = 0
    for _ in range(6):
        world.at += MINUTE
        world.write(1, lambda *_: True)
        world.spawner.turn()
        if world.spawner.errand is not None:
            asked_for += 1
            world.spawner.hear((world.spawner.errand.id, ""))
    world.stored.close()
    assert asked_for == 3
    assert state_of(world.book, "p1-brief-1") == "running"


def test_a_plan_whose_pattern_is_found_no_more_makes_room(world):
    world.enter(STEPS)
    world.spawner.patterns = lambda: Patterns(2, (Pattern("p2", "poems", {1: 1.0}, 0.5),))
    world.write(30, lambda _, n: n % 2)
    world.spawner.turn()
    assert state_of(world.book, STEPS.name) == "stopped"
    assert list(world.book.made) == [STEPS.name]  # nothing new for a pattern of old rows


def adopted_for(world, made, pattern):
    made = replace(made, name=made.name.replace("p1", pattern), pattern=pattern)
    world.enter(made)
    world.director.change(adopt_made, world.book.trial(made.name), world.now(), "better")
    return made.name


def test_two_plans_that_are_the_same_become_a_plan_for_both_patterns(world):
    names = [adopted_for(world, STEPS, "p1"), adopted_for(world, STEPS, "p2")]
    (made,) = merged(world.book)
    world.spawner._simplify(made)
    assert [state_of(world.book, name) for name in names] == ["superseded", "superseded"]
    assert state_of(world.book, "p1-p2-steps-1") == "adopted"
    (live,) = world.director.steering.lives
    assert live.candidate.within == {"p1": "p1-p2-steps-1", "p2": "p1-p2-steps-1"}
    assert {d.plan for d in made_sides(world)} == {"p1-p2-steps-1", "y"}  # y: the control
    assert not list(merged(world.book))


def test_two_plans_with_examples_become_one_with_examples_of_both_by_a_trial_in_both(world):
    others = [{"prompt": f"p2's {n}", "answer": str(n)} for n in range(4)]
    second = replace(EXAMPLES, plan={"ask": "a", "examples": others})
    names = [adopted_for(world, EXAMPLES, "p1"), adopted_for(world, second, "p2")]
    (made,) = merged(world.book)
    world.spawner._simplify(made)
    trial = world.book.trial("p1-p2-examples-1")
    assert (trial.state, trial.pattern, trial.goal) == ("running", "p2", "no worse")
    live = next(each for each in world.director.steering.lives if each.name == trial.name)
    assert live.candidate.within == {"p1": trial.name, "p2": trial.name}
    whole = next(each for each in world.director.steering.made if each.name == trial.name)
    first, second = whole.plan["examples"][::2], whole.plan["examples"][1::2]
    assert (first, second) == (SHOWN, others[:3])
    assert world.book.made[trial.name].plan["examples"] == 6
    world.director.change(adopt_made, trial, world.now(), "no worse")
    assert [state_of(world.book, name) for name in names] == ["superseded", "superseded"]
    forgotten = replace(EXAMPLES, name="p3-examples-1", pattern="p3", scope="group other")
    adopted_for(world, forgotten, "p3")
    assert not list(merged(world.book))  # words of another owner
    adopted_for(world, EXAMPLES, "p4")
    assert not list(merged(world.book))  # a plan that has examples of two patterns keeps them


def test_a_plan_for_two_patterns_is_tried_no_longer_than_what_it_stands_for_is_good(world):
    names = [adopted_for(world, EXAMPLES, "p1"), adopted_for(world, EXAMPLES, "p2")]
    (made,) = merged(world.book)
    world.spawner._simplify(made)
    world.spawner.tidy(NOTHING)
    assert state_of(world.book, made.name) == "running"
    world.director.change(doubt, names[1], world.now(), "its answers fell")
    world.spawner.tidy(NOTHING)
    assert state_of(world.book, made.name) == "stopped"


@pytest.mark.parametrize(("without", "state"), slow_after(1, [(2, "kept"), (9, "adopted")]))
def test_a_stage_that_brings_nothing_within_a_pattern_is_dropped_there(tmp_path, without, state):
    deep = {"plans": {"x": {"ask": "a"}, "y": {"ask": "b"}, "deep": {"pipeline": ["x", "x", "y"]}}}
    world = World(config_in(tmp_path, plan="deep", more=deep))
    world.director.change(lambda _: [{"do": "ask", "at": 1.0, "what": "nothing"}])
    world.write(40, lambda *_: True)
    world.spawner.turn()
    name = "p1-deep-less-x-1"
    made = world.book.made[name]
    assert (made.kind, made.stands_for, made.plan) == ("stage", "deep", {"pipeline": ["x", "y"]})
    good = {name: without, "deep": 9, "x": 0, "y": 0}
    for _ in range(40):
        turn(world, 1, lambda plan, n: n * 7 % 10 < good[plan] + 1)
        if state_of(world.book, name) != "running":
            break
    assert state_of(world.book, name) == state
    assert {d.plan for d in made_sides(world)} <= {name, "deep"}
    world.stored.close()


@pytest.mark.slow
def test_a_plan_beside_which_its_control_does_as_well_is_pruned(world):
    adopted_for(world, STEPS, "p1")
    turn(world, 8, lambda *_: True)
    traffic = Traffic.of(
        [
            ("p1", STEPS.name, 100, 100, 40.0, 0.9, 0.01, 1.0),
            ("p1", "x", 20, 20, 9.0, 0.9, 0.0, 1.0),
        ]
    )
    assert not list(dominated(world.book, world.config, traffic, world.now()))  # adopted lately
    later = world.now() + 3 * 86_400.0
    ((name, why),) = dominated(world.book, world.config, traffic, later)
    assert (name, "x was worth" in why) == (STEPS.name, True)
    world.director.change(doubt, name, world.now(), why)
    assert world.director.steering.lives[0].slot.share == 0.5
    turn(world, 20, lambda *_: True)
    trial = world.book.trial(STEPS.name)
    assert (trial.state, "adds hardly anything" in trial.why) == ("rolled back", True)
