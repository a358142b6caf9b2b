"""The book of trials: which changes it allows, which strategy serves, and what a kill leaves."""

import multiprocessing

import orjson
import pytest

from router.config.config import Config
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.changes import adopt, open_trial, register, roll_back, stop
from router.trials.ledger import Ledger

YAML = {
    "backends": {"a": {"kind": "generator"}, "b": {"kind": "generator"}},
    "plans": {"x": {"ask": "a"}, "y": {"ask": "b"}, "z": {"pipeline": ["a", "b"]}},
    "objective": {"strategy": "fixed", "plan": "x"},
}
CONFIG = Config.model_validate(YAML)
SOURCE = "def route(request, scores, similar):\n    return 'y'\n"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path, CONFIG)


def opened(ledger, name="t", candidate="bandit", **more):
    ledger.change(open_trial, name, candidate, 10.0, **more)
    return ledger.book.trial(name)


def test_the_configuration_decides_before_the_first_adoption(ledger):
    assert ledger.book.serving.key == "always-x"
    assert ledger.book.steering().lives == ()


def test_a_trial_is_opened_against_the_strategy_that_serves(ledger):
    trial = opened(ledger)
    assert (trial.state, trial.candidate, trial.current) == ("running", "bandit", "always-x")
    live = ledger.book.steering().lives[0]
    assert (live.candidate.kind, live.slot.share) == ("bandit", 0.5)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"candidate": "bandti"}, "no strategy is called that. Did you mean bandit?"),
        ({"candidate": "always-x"}, "serves already"),
        ({"share": 1.0}, "split below 1"),
        ({"traffic": 0.0}, "traffic = 0"),
    ],
)
def test_a_trial_that_cannot_be_opened_says_why(ledger, given, why):
    with pytest.raises(Rejected) as error:
        opened(ledger, **given)
    assert why in str(error.value)
    assert not ledger.book.trials


def test_a_layer_that_is_full_takes_no_more_and_another_layer_does(ledger):
    opened(ledger, "one", traffic=0.7)
    with pytest.raises(Rejected, match="50% of the traffic of layer 'strategy' is not free; 30%"):
        opened(ledger, "two", "ladder", traffic=0.5)
    opened(ledger, "two", "ladder", traffic=0.3)
    slots = [trial.slot for trial in ledger.book.live]
    assert (slots[0].high, slots[1].low) == (pytest.approx(0.7), pytest.approx(0.7))
    ledger.change(register, Strategy("slim", "same", without=("z",)), 11.0)
    assert opened(ledger, "three", "slim").slot.layer == "plans"


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (Strategy("s", "mix", settings={"shares": {"q": 1.0}}), "q: no plan is called that"),
        (Strategy("s", "mix", settings={"shares": {"x": -1.0}}), "none below zero"),
        (Strategy("s", "ladder", settings={"rungs": ["x"], "cuts": [1, 2]}), "need 3 rungs"),
        (Strategy("s", "fixed"), "no plan is called that"),
        (Strategy("s", "bandit", settings={"courage": 1}), "courage = 1: kind bandit takes floor"),
        (Strategy("s", "bandit", settings={"floor": "much"}), "floor = 'much': it is a number"),
        (Strategy("s", "function"), "a source of 0 characters"),
        (Strategy("s", "same"), "name plans it goes without"),
        (Strategy("s", "same", without=("x", "y", "z")), "none are left"),
        (Strategy("s", "same", instead={"z": "z~q"}), "z~q cannot stand for z; there are: z~b"),
        (Strategy("s", "same", instead={"x": "z~b"}), "z~b cannot stand for x; there are: none"),
        (Strategy("s", "majic"), "no kind is called that"),
        (Strategy("bandit", "fixed", settings={"plan": "x"}), "the configuration's own"),
    ],
)
def test_a_strategy_that_could_not_decide_is_not_registered(ledger, strategy, why):
    with pytest.raises(Rejected) as error:
        ledger.change(register, strategy, 1.0)
    assert why in str(error.value)


def test_versions_are_numbered_and_the_bare_name_is_the_latest(ledger):
    for _ in range(2):
        made = Strategy("code", "function", source=SOURCE)
        ledger.change(register, made, 1.0)
    assert ledger.book.strategy("code").key == "code@2"
    assert ledger.book.strategy("code@1").version == 1


def test_an_adopted_strategy_serves_beside_its_control_and_can_be_rolled_back(ledger):
    opened(ledger)
    ledger.change(adopt, "t", 20.0, why="it is better")
    book = ledger.book
    assert (book.serving.key, book.control.key) == ("bandit", "always-x")
    holdout = book.steering().holdout
    assert holdout.slot.share == 0.01  # the first step of the adoption
    assert holdout.current.key == "always-x"
    ledger.change(roll_back, 30.0, "it turned bad")
    assert (book.serving.key, book.trial("t").state) == ("always-x", "rolled back")
    assert book.steering().holdout is None
    with pytest.raises(Rejected, match="nothing to roll back"):
        ledger.change(roll_back, 31.0, "again")


def test_an_adoption_ends_the_other_trials_of_its_layer(ledger):
    opened(ledger, "one", traffic=0.5)
    opened(ledger, "two", "ladder", traffic=0.5)
    ledger.change(adopt, "one", 20.0, why="better", by_steps=False)
    assert ledger.book.trial("two").state == "superseded"
    assert ledger.book.steering().holdout.slot.share == pytest.approx(0.98)


def test_a_candidate_without_plans_becomes_a_strategy_of_its_own_when_adopted(ledger):
    opened(ledger, "learn")
    ledger.change(adopt, "learn", 20.0, why="better", by_steps=False)
    ledger.change(register, Strategy("slim", "same", without=("z",)), 21.0)
    opened(ledger, "slim", "slim")
    ledger.change(adopt, "slim", 22.0, why="no worse", by_steps=False)
    serving = ledger.book.serving
    assert (serving.kind, serving.without) == ("bandit", ("z",))
    assert ledger.book.control.key == "bandit"


def test_an_adopted_strategy_whose_plans_are_gone_leaves_the_one_before_it_to_serve(ledger):
    ledger.change(register, Strategy("yes", "fixed", settings={"plan": "z"}), 1.0)
    opened(ledger, "t", "yes")
    ledger.change(adopt, "t", 2.0, why="better", by_steps=False)
    fewer = YAML | {"plans": {"x": {"ask": "a"}, "y": {"ask": "b"}}}
    ledger.reconfigure(Config.model_validate(fewer))
    assert ledger.book.serving.key == "always-x"
    assert ledger.book.steering().serving.key == "always-x"
    ledger.reconfigure(CONFIG)
    assert ledger.book.serving.key == "yes@1"


def test_a_later_process_reads_the_same_book(ledger, tmp_path):
    opened(ledger)
    ledger.change(adopt, "t", 20.0, why="better")
    again = Ledger(tmp_path, CONFIG)
    again.follow()
    assert again.book.trials == ledger.book.trials
    assert again.book.serving == ledger.book.serving
    assert again.book.steering() == ledger.book.steering()


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_a_kill_cut_short_was_never_written(ledger, tmp_path, cut):
    opened(ledger)
    whole = ledger.path.read_bytes()
    torn = orjson.dumps({"do": "state", "at": 1.0, "trial": "x", "state": "kept", "why": "?"})
    ledger.path.write_bytes(whole + torn[:cut])
    again = Ledger(tmp_path, CONFIG)
    again.change(stop, "t", 30.0)
    last = Ledger(tmp_path, CONFIG)
    last.follow()
    assert last.book.trial("t").state == "stopped"
    assert last.book.lines == 2


def _register(folder, name, times):
    ledger = Ledger(folder, CONFIG)
    for _ in range(times):
        ledger.change(register, Strategy(name, "function", source=SOURCE), 1.0)


def test_processes_that_write_at_once_lose_nothing_and_number_without_a_gap(tmp_path):
    # A fork of this process could inherit a lock that another thread holds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    workers = [context.Process(target=_register, args=(tmp_path, "code", 25)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ledger = Ledger(tmp_path, CONFIG)
    ledger.follow()
    assert sorted(strategy.version for strategy in ledger.book.registered.values()) == list(
        range(1, 101)
    )
