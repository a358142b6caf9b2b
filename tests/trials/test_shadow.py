"""The shadow of `auto`: what it would have saved, in words; when it switches on, or back."""

import datetime as dt

import numpy as np
import pytest
from typer.testing import CliRunner

from learner.assignment import Slot, assigned
from router.cli.main import app
from router.cli.report import learning_report
from router.config.load import load
from router.trials import changes
from router.trials.book import Rejected
from router.trials.director import Director
from router.trials.shadow_watch import ShadowWatch
from tests.fakes import MemoryJournal
from tests.learning.traffic import features_of
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

YAML = """
server: {{data: {data}}}
backends:
  a: {{kind: generator, price: {{input: 1, output: 2}}}}
  b: {{kind: generator, price: {{input: 10, output: 30}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, start: shadow{more}}}
"""
MEASURED = ", shadow_explore: 0.3"
ALLOWED = ", shadow_explore: 0.3, switch: true"
EQUAL = {"cheap": 0.9, "dear": 0.9}
GOOD = {"cheap": 0.98, "dear": 0.98}  # equal, and told sooner: the qualities vary less
WORSE = {"cheap": 0.5, "dear": 0.9}


class World:
    """Writes requests whose callers name `dear`, and for which `auto` would choose `cheap`."""

    def __init__(self, tmp_path, more=""):
        path = tmp_path / "waggle.yaml"
        path.write_text(YAML.format(data=tmp_path / "var", more=more))
        self.config = load(path, {})
        self.stored = Stored(self.config.telemetry_folder)
        self.at, self.count = NOON, 0
        self.chance = np.random.default_rng(1)
        self.restart()

    def restart(self):
        self.journal = MemoryJournal()
        self.director = Director(self.config, self.journal, self.now)
        self.watch = ShadowWatch(self.director, self.config, self.journal, self.now)

    def now(self):
        return self.at / 1e6

    def send(
        self, count, good, *, usd=(0.001, 0.01), judged=1.0, named=("dear",), auto="cheap", **more
    ):
        rows, signals = [], []
        switched = self.director.book.switched
        control = 1 - self.config.trials.control
        share = control if switched else self.config.objective.explored_in_shadow
        for _ in range(count):
            self.at += MINUTE // 60
            self.count += 1
            unit = f"u{self.count}"
            side = assigned(Slot("auto", "auto", 0.0, 1.0, share), unit).side if share else "shadow"
            own = named[int(self.chance.integers(len(named)))]
            plan, other = (auto, own) if side == "candidate" else (own, auto)
            kind = ("sql", "chat")[int(self.chance.integers(2))]
            chances = {"candidate": share, "current": 1 - share, "shadow": 1.0}
            noise = float(self.chance.lognormal(0, 0.5))
            odds = {auto: share, own: 1.0 - share} if auto != own else {own: 1.0}
            row = request(
                self.at,
                plan=plan,
                kind=kind,
                strategy="shadow" if share else "named",
                eligible=list(odds),
                probabilities=list(odds.values()),
                propensity=odds[plan],
                features_version=3,
                features=features_of(f"{kind} {self.count}"),
                cost_usd=None if (price := usd[plan == "dear"]) is None else price * noise,
                exposures=[
                    {
                        **{"trial_id": "auto", "unit": unit, "variant": side},
                        **{"chance": chances[side], "apart": auto != own, "other": other},
                    }
                ],
                expected=[
                    {"plan": "cheap", "quality": 0.9, "cost_usd": usd[0], "latency_ms": 50.0},
                    {"plan": "dear", "quality": 0.9, "cost_usd": usd[1], "latency_ms": 50.0},
                ],
                shadow={
                    **{"named": own, "plan": auto, "share": share, "strategy": "bandit"},
                    **{"policy_version": "v1", "probabilities": {auto: 1.0}},
                },
            )
            row["shadow"] |= more
            rows.append(row)
            if self.chance.random() < judged:
                signals.append(signal(row, float(self.chance.random() < good[plan])))
        self.stored.write("requests", rows)
        self.stored.write("signals", signals)
        self.turn()

    def turn(self):
        self.at += 2 * MINUTE
        self.director.turn()
        self.watch.turn()

    @property
    def standing(self):
        return self.watch.report

    @property
    def words(self):
        return self.standing["words"]

    def events(self, kind):
        return [event for event in self.journal.events if event.kind == kind]


def test_before_any_request_nothing_can_be_told(tmp_path):
    world = World(tmp_path)
    world.turn()
    assert world.words.startswith("Nothing can be told yet: no request was noted")


def test_a_measured_saving_at_equal_quality_is_told_with_its_intervals(tmp_path):
    world = World(tmp_path, MEASURED)
    world.send(1500, GOOD)
    measured = world.standing["measured"]
    truth = 1500 * 0.009 * np.exp(0.125)
    assert measured["saving_usd"]["low"] < truth < measured["saving_usd"]["high"]
    assert measured["quality"]["low"] < 0 < measured["quality"]["high"]
    assert "`auto` would have saved $" in world.words
    assert "± $" in world.words
    assert "It does not switch on by itself (objective.switch is false)." in world.words
    world.send(3500, GOOD)
    assert "at equal quality (" in world.words
    assert "It may be switched on: waggle policy live" in world.words
    assert not world.director.book.switched


def test_worse_answers_are_called_worse(tmp_path):
    world = World(tmp_path, ALLOWED)
    world.send(1500, WORSE)
    assert "at worse quality (-0." in world.words
    assert not world.director.book.switched


def test_answers_that_cost_more_are_not_called_a_saving(tmp_path):
    world = World(tmp_path, ALLOWED)
    world.send(1500, EQUAL, usd=(0.02, 0.01))
    assert "`auto` would have cost $" in world.words
    assert not world.director.book.switched


def test_without_judged_answers_a_saving_is_told_and_nothing_is_switched(tmp_path):
    world = World(tmp_path, ALLOWED)
    world.send(1500, EQUAL, judged=0.0)
    assert "would have saved $" in world.words
    assert "equal quality cannot be told yet, with 0 judged answers" in world.words
    assert "More answers of both sides must be judged." in world.words
    assert not world.director.book.switched


def test_if_callers_always_name_one_model_quality_cannot_be_told_and_the_mend_is_named(tmp_path):
    world = World(tmp_path)
    world.send(300, EQUAL)
    assert "Foretold, not measured: `auto` would have saved about $" in world.words
    assert "of `cheap` only the price is known" in world.words
    assert (
        "Whether at equal quality cannot be told: callers always name `dear`, and too few answers "
        "of `cheap` to like requests were judged."
    ) in world.words
    assert "objective.shadow_explore: 0.05" in world.words
    foretold = world.standing["foretold"]
    assert foretold["saving_usd"] == pytest.approx(300 * (0.01 * np.exp(0.125) - 0.001), rel=0.1)
    assert foretold["quality"] is None


def test_where_the_price_of_what_auto_would_choose_is_unknown_no_saving_is_foretold(tmp_path):
    world = World(tmp_path)
    world.send(100, EQUAL, unpriced=["cheap"])
    assert world.standing["foretold"]["saving_usd"] is None
    assert "Nobody knows the price of enough plans" in world.words


def test_unknown_costs_are_left_out_and_switch_nothing_on(tmp_path):
    world = World(tmp_path, ALLOWED)
    world.send(1500, {"cheap": 0.98, "dear": 0.8}, usd=(None, 0.01))
    assert not world.director.book.switched
    assert "whose cost nobody knows: give their backends a price" in world.words
    assert "Of too many requests nobody knows the cost" in world.words


def test_if_callers_name_both_quality_is_foretold_and_called_no_proof(tmp_path):
    world = World(tmp_path, ", switch: true, shadow_explore: 0")
    world.send(600, WORSE, named=("dear", "cheap"))
    assert world.standing["foretold"]["quality"] == pytest.approx(-0.2, abs=0.05)
    assert "this proves nothing" in world.words
    assert not world.director.book.switched


def test_auto_that_chooses_what_is_named_anyway_is_told_as_such(tmp_path):
    world = World(tmp_path, ALLOWED)
    world.send(300, EQUAL, auto="dear")
    assert "`auto` would have chosen what was named for all 300 requests." in world.words


def switched(tmp_path):
    world = World(tmp_path, ALLOWED)
    for _ in range(12):
        world.send(1000, {"cheap": 0.96, "dear": 0.9})
        if world.director.book.switched:
            return world
    raise AssertionError(world.words)


def test_it_switches_on_by_itself_once_and_says_so_in_telemetry(tmp_path):
    world = switched(tmp_path)
    (event,) = world.events("switch")
    assert (event.subject, event.state, event.detail["by"]) == ("auto", "live", "bound")
    assert "would have saved $" in event.detail["why"]
    assert "at equal quality" in event.detail["why"]
    assert world.director.steering.switched
    assert world.standing["state"] == "live"
    assert "switched on by itself" in world.words
    assert "To undo it: waggle policy shadow" in world.words


def test_a_new_process_finds_the_switch_and_tells_it_no_second_time(tmp_path):
    world = switched(tmp_path)
    world.restart()
    world.turn()
    assert world.director.steering.switched
    assert world.events("switch") == []
    assert len(world.director.book.switches) == 1


@pytest.mark.slow
def test_after_the_switch_it_stays_measured_beside_its_control(tmp_path):
    world = switched(tmp_path)
    world.send(1500, EQUAL)
    assert world.standing["measured"]["requests"] >= 1500
    assert "`auto` saves $" in world.words


@pytest.mark.slow
def test_what_an_operator_undid_never_switches_on_by_itself_again(tmp_path):
    world = switched(tmp_path)
    world.director.change(changes.switch, world.now(), live=False, by="operator", why="too soon")
    for _ in range(3):
        world.send(800, {"cheap": 0.99, "dear": 0.5})
    assert not world.director.book.switched
    assert [event.state for event in world.events("switch")] == ["live", "in the shadow again"]
    assert "It may be switched on: waggle policy live" in world.words


@pytest.mark.slow
def test_worse_answers_after_the_switch_do_not_flap(tmp_path):
    world = switched(tmp_path)
    world.send(1500, WORSE)
    assert world.director.book.switched
    assert len(world.events("switch")) == 1


def test_a_switch_needs_a_shadow_and_a_change(tmp_path):
    world = World(tmp_path, MEASURED)
    wish = {"live": False, "by": "operator", "why": "so"}
    with pytest.raises(Rejected, match="in the shadow already"):
        world.director.change(changes.switch, world.now(), **wish)
    objective = world.config.objective.model_copy(update={"start": "live"})
    world.director.reconfigure(world.config.model_copy(update={"objective": objective}))
    with pytest.raises(Rejected, match=r"objective.start is live"):
        world.director.change(changes.switch, world.now(), **wish | {"live": True})


@pytest.mark.slow
def test_the_report_says_the_same_from_telemetry_alone(tmp_path):
    world = World(tmp_path, MEASURED)
    world.send(1500, EQUAL)
    until = dt.datetime.fromtimestamp(world.now(), dt.UTC).replace(tzinfo=None)
    report = learning_report(world.config, days=1, until=until)
    assert "## What auto would have saved" in report.markdown
    assert world.words in report.markdown.replace("\n\n", " ")
    assert "| dear | cheap | 1,500 |" in report.markdown


def test_a_report_of_a_live_auto_has_no_such_section(tmp_path):
    world = World(tmp_path, ", shadow_explore: 0")
    text = YAML.format(data=tmp_path / "var", more="").replace("start: shadow", "start: live")
    (tmp_path / "waggle.yaml").write_text(text)
    world.stored.write("requests", [request(NOON)])
    until = dt.datetime.fromtimestamp(NOON / 1e6 + 60, dt.UTC).replace(tzinfo=None)
    report = learning_report(load(tmp_path / "waggle.yaml", {}), days=1, until=until)
    assert "auto would have saved" not in report.markdown


def test_one_newest_event_holds_what_the_dashboard_shows(tmp_path):
    world = World(tmp_path, MEASURED)
    world.send(500, EQUAL)
    event = world.events("shadow")[-1]
    assert event.detail == world.standing
    assert event.state == "shadow"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (MEASURED, "auto is in the shadow: callers get what they name, and auto answers 30%"),
        (
            ", switch: true",
            "auto is in the shadow: callers get what they name, and auto answers 5%",
        ),
        (", switch: true, shadow_explore: 0", "objective.switch never switches with"),
    ],
)
def test_check_says_what_becomes_of_named_models(tmp_path, more, line):
    World(tmp_path, more)
    shown = CliRunner().invoke(app, ["check", "-c", str(tmp_path / "waggle.yaml")])
    assert line in " ".join(shown.stdout.replace("│", " ").split())


def test_check_says_that_a_switch_needs_a_shadow(tmp_path):
    text = YAML.format(data=tmp_path / "var", more=", switch: true")
    (tmp_path / "waggle.yaml").write_text(text.replace("start: shadow", "start: live"))
    shown = CliRunner().invoke(app, ["check", "-c", str(tmp_path / "waggle.yaml")])
    words = " ".join(shown.stdout.replace("│", " ").split())
    assert "do nothing while objective.start is live" in words
