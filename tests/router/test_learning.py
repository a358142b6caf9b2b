"""The learner as a fold over telemetry: killed, poisoned, set back, taught, and its report."""

import json
import threading

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from learner import snapshot
from learner.policy import Arm
from router.cli.main import app
from router.config.load import load
from router.learning.fold import Fold
from router.learning.publisher import Publisher
from router.learning.registry import Registry
from router.learning.report import report_of
from router.request.complexity import complexity
from router.request.context import context_of, numbers
from router.request.lens import terms
from router.request.reading import reading_of
from router.routing.messages import NewsRequest
from tests.fakes import MemoryJournal
from tests.kills import killed_before_rename, killed_midway
from tests.telemetry.stored import MINUTE, NOON, Stored, request, signal

YAML = """
server: {{data: {data}}}
backends:
  a: {{kind: generator}}
  b: {{kind: generator, price: {{input: 10, output: 30}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, learning: {{snapshots: 3, snapshot_seconds: 1}}{more}}}
"""


@pytest.fixture
def config(tmp_path):
    return configured(tmp_path)


def configured(tmp_path, more="", yaml=YAML):
    path = tmp_path / "waggle.yaml"
    path.write_text(yaml.format(data=tmp_path / "var", more=more))
    return load(path, {})


@pytest.fixture
def stored(config):
    stored = Stored(config.telemetry_folder)
    yield stored
    stored.close()


class Traffic:
    """Writes requests, and signals about them, as routers do."""

    def __init__(self, config, stored, seed=1):
        self.config, self.stored = config, stored
        self.chance = np.random.default_rng(seed)
        self.at = NOON
        self.rows = []

    def send(self, count=30, *, good=lambda plan, task: plan == "dear", writers=("r1", "r2")):
        for n in range(count):
            self.at += MINUTE // 60
            plan = ("cheap", "dear")[int(self.chance.integers(2))]
            task = ("sql", "chat")[int(self.chance.integers(2))]
            row = request(
                self.at,
                plan=plan,
                kind=task,
                strategy="bandit",
                eligible=["cheap", "dear"],
                probabilities=[0.5, 0.5],
                propensity=0.5,
                features_version=1,
                features=of(f"{task} request {n}"),
                rate_usd=0.001,
                cost_usd=0.002,
            )
            self.rows.append(row)
            writer = writers[n % len(writers)]
            self.stored.write("requests", [row], writer)
            if self.chance.random() < 0.8:
                score = float(self.chance.random() < (0.9 if good(plan, task) else 0.3))
                self.stored.write("signals", [signal(row, score)], writer)


def of(text):
    fields = {"messages": [{"role": "user", "content": text}]}
    reading = reading_of(fields)
    score = complexity(reading, _ANY)
    return numbers(reading, score, sort=score.kind, tagged=True)


_ANY = dict.fromkeys(("fields", "nesting", "arrays", "rules", "length", "code", "question"), 0.5)


def turned(fold):
    while fold.turn():
        pass
    return fold


def rebuilt(config):
    """The learner from its log alone, which every snapshot must agree with."""
    fold = Fold(config, 0)
    fold.add_plans()
    for line in fold.registry.logged():
        fold.replay(line)
    return fold


def begun(config):
    """A learner that starts, and has not looked at any row yet."""
    fold = Fold(config, 0)
    fold.begin()
    return fold


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
    context = context_of(of("sql request 3"), "sql", lens=0)
    chances = policy.distribution(context, [Arm("cheap"), Arm("dear")])
    assert chances[Arm("dear")] > 0.85
    assert fold.state.bandit.expenses.of(Arm("dear")).spend == pytest.approx(2.0)
    assert fold.turn() is False


def test_killed_anywhere_it_comes_back_with_the_same_state_to_the_last_bit(config, stored):
    """Batches come live, with snapshots now and then and kills in between; then the whole log is
    replayed from nothing, after the rows were sealed and merged."""
    traffic, chance = Traffic(config, stored), np.random.default_rng(2)
    fold = begun(config)
    for n in range(25):
        # A writer whose files were sealed writes no more: the next process has another name.
        writers = ("r1", "r2") if n <= 12 else ("r3", "r4")
        traffic.send(int(chance.integers(1, 12)), writers=writers)
        if n == 12:
            stored.seal()
        for _ in range(int(chance.integers(0, 3))):
            fold.turn()
        if n % 7 == 6:
            fold.keep(float(n))
        if n % 5 == 4:  # kill -9: only the disk is left
            before = fold.state.written(0.0)
            fold = begun(config)
            assert fold.state.written(0.0) == before
    turned(fold)
    assert fold.state.bandit.learned > 80
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


def test_a_batch_that_was_logged_and_not_read_before_a_kill_is_read_after_it(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(20)
    fold = begun(config)
    batch = fold.feed.beyond(fold.state.mark)
    fold.registry.log({"batch": batch.state()})  # and here the learner was killed
    with (config.learner_folder / "batches.jsonl").open("ab") as file:
        file.write(b'{"batch": {"requ')  # or in the middle of writing the next
    again = Fold(config, 0)
    again.begin()
    assert again.state.bandit.learned > 5
    traffic.send(20)
    turned(again)
    assert rebuilt(config).state.written(0.0) == again.state.written(0.0)


@pytest.mark.parametrize("harm", ["cut", "nan", "empty", "features"])
def test_a_snapshot_that_is_poisoned_is_set_aside_and_the_fold_rebuilds_it(config, stored, harm):
    traffic = Traffic(config, stored)
    traffic.send(40)
    fold = turned(begun(config))
    version = fold.keep(1.0)
    wanted = fold.state.written(0.0)
    content = version.path.read_bytes()
    if harm == "nan":
        body = content[content.index(b'"bandit":') + 9 : content.rindex(b"}")]
        stored_bandit = orjson.loads(body)
        stored_bandit["arms"]["dear"]["natural_mean"][0] = None  # how JSON writes NaN
        content = rewritten(stored_bandit)
    elif harm == "features":
        content = rewritten(snapshot.opened(content) | {"features": "2:0"})
    else:
        content = content[: 500 if harm == "cut" else 0]
    version.path.write_bytes(content)
    events = []
    again = Fold(config, 0, lambda *event, **detail: events.append((event, detail)))
    again.begin()
    assert again.state.written(0.0) == wanted
    assert events[0][0] == ("learner", version.name, "set aside")
    assert events[0][1]["reason"]
    assert (config.learner_folder / "aside" / version.path.name).exists()


def rewritten(stored_bandit):
    """A snapshot with a checksum that is right."""
    from hashlib import blake2b

    body = orjson.dumps(stored_bandit)
    digest = blake2b(body, digest_size=16).hexdigest().encode()
    return b'{"checksum":"' + digest + b'","bandit":' + body + b"}\n"


def test_late_and_changed_feedback_counts_as_it_is_now(config, stored):
    traffic = Traffic(config, stored)
    traffic.send(20)
    fold = turned(begun(config))
    row = traffic.rows[0]
    for ts, score in ((9, 1.0), (10, 0.0)):
        late = signal(row, score, source="app", metric="late", ts=row["ts"] + ts * MINUTE)
        stored.write("signals", [late, late], "r1")  # and twice is once
        turned(fold)
    assert fold.state.contributions[row["request_id"]][0] in (0.0, 0.5)
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


def test_requests_whose_caller_named_the_plan_teach_no_quality(config, stored):
    row = request(strategy="named", features_version=1, features=of("x"), rate_usd=0.001)
    stored.write("requests", [row])
    stored.write("signals", [signal(row, 1.0)])
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 0
    assert fold.state.bandit.expenses.of(Arm("cheap")).seen == 1


def test_rows_of_other_features_are_left_out(config, stored):
    rows = [request(features_version=2, features=[1.0] * 8), request()]
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
    assert fold.turn() is False  # what came between is not learned again
    traffic.send(10)
    turned(fold)
    assert fold.state.bandit.learned > learned
    fold.keep(2.0)
    again = Fold(config, 0)
    again.begin()
    assert again.state.written(0.0) == fold.state.written(0.0)


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
    assert version.name in {v.name for v in fold.registry.versions()}  # though only 3 are kept
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


def test_the_publisher_hands_out_only_what_a_router_lacks_and_fits_a_lens(config, stored):
    journal, now = MemoryJournal(), [1000.0]
    publisher = Publisher(config, journal, wall=lambda: now[0])
    traffic = Traffic(config, stored)
    traffic.send(30)
    assert publisher.turn()
    first = publisher.news(NewsRequest("", 0))
    assert first.policy is not None
    assert first.wants_prompts
    assert publisher.news(NewsRequest(first.version, 0)).policy is None
    words = [f"{a}{b}{c}" for a in "bcdfgklm" for b in "aeiou" for c in "bcdfgklmnprst"]
    prompts = [(terms(f"What is a {word}?"), None) for word in words]
    publisher.news(NewsRequest(first.version, 0, prompts))
    now[0] += 100
    traffic.send(5)
    publisher.turn()
    second = publisher.news(NewsRequest(first.version, 0))
    assert second.lens != 0
    assert second.lens_content
    assert second.policy.features.endswith(f":{second.lens:x}")
    assert not publisher.news(NewsRequest(second.version, second.lens)).lens_content
    assert [e.state for e in journal.events if e.kind == "learner"] == ["lens fitted"]
    assert journal.policies[-1].strategy == "bandit"
    registry = Registry(config.learner_folder)
    registry.pin(registry.versions()[-1].name)
    publisher.turn()  # though nothing came
    assert publisher.news(NewsRequest("", 0)).version.startswith("pinned-")
    assert json.loads(json.dumps(publisher.report()))["learned"] > 10


def test_the_report_has_what_is_expected_by_kind_and_plan(config, stored):
    Traffic(config, stored).send(200)
    fold = turned(begun(config))
    report = report_of(fold, fold.policy(0.0), config)
    by = {(kind["kind"], row["plan"]): row for kind in report["kinds"] for row in kind["plans"]}
    assert by["sql", "dear"]["quality"] == pytest.approx(0.9, abs=0.15)
    assert by["sql", "dear"]["interval"] < 0.3
    assert by["sql", "cheap"]["quality"] < 0.55
    assert by["any", "dear"]["requests"] + by["any", "cheap"]["requests"] == 200
    assert sum(row["share"] for row in report["kinds"][0]["plans"]) == pytest.approx(1, abs=1e-3)


LINE = {"prompt": "select all customers", "task": "sql", "scores": {"cheap": 0.1, "dear": 0.9}}


def run(tmp_path, *args):
    return CliRunner().invoke(app, [*args, "-c", str(tmp_path / "waggle.yaml")])


def test_warm_teaches_scores_that_were_measured_offline_and_only_once(config, stored, tmp_path):
    source = tmp_path / "scored.jsonl"
    source.write_text(
        "".join(json.dumps(LINE | {"prompt": f"select {n}"}) + "\n" for n in range(60))
    )
    done = run(tmp_path, "warm", str(source))
    assert done.exit_code == 0, done.output
    assert "60 prompts with 120 scores" in done.output
    assert "taught before" in run(tmp_path, "warm", str(source)).output
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 120
    policy = fold.policy(0.0).priced({})
    context = context_of(of("select 7"), "sql", lens=0)
    assert policy.distribution(context, policy.arms)[Arm("dear")] > 0.8
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)
    assert b"select" not in b"".join(
        p.read_bytes() for p in config.learner_folder.rglob("*") if p.is_file()
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "1 is not JSON"),
        ('{"scores": {"cheap": 1}}', 'needs a "prompt"'),
        ('{"prompt": "x"}', 'needs "scores"'),
        ('{"prompt": "x", "scores": {"gold": 1}}', "Known: cheap, dear"),
        ('{"prompt": "x", "scores": {"dear": 7}}', "must be 0 to 1, not 7"),
        ('{"prompt": "x", "task": 4, "scores": {"dear": 1}}', "task must be a text"),
        ("", "is empty"),
    ],
    ids=["torn", "no-prompt", "no-scores", "unknown", "range", "task", "empty"],
)
def test_a_lesson_with_a_bad_line_is_refused_with_its_number(config, tmp_path, line, says):
    source = tmp_path / "scored.jsonl"
    source.write_text(line)
    done = run(tmp_path, "warm", str(source))
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())


def test_snapshots_are_listed_pinned_and_rolled_back_to_by_name(config, stored, tmp_path):
    Traffic(config, stored).send(30)
    fold = turned(begun(config))
    version = fold.keep(1_800_000_000.0)
    assert version.name in run(tmp_path, "policy", "list").output
    assert "Pinned to" in run(tmp_path, "policy", "pin", version.name[:6]).output
    assert "pinned" in run(tmp_path, "policy", "list").output
    assert "No longer pinned" in run(tmp_path, "policy", "unpin").output
    assert run(tmp_path, "policy", "rollback", version.name).exit_code == 0
    assert fold.registry.wanted_back() == version.name
    missing = run(tmp_path, "policy", "pin", "999999")
    assert missing.exit_code == 2
    assert version.name in missing.output


def test_a_kill_while_a_snapshot_is_written_leaves_the_last_one_and_no_half_one(config, stored):
    Traffic(config, stored).send(20)
    fold = turned(begun(config))
    kept = fold.keep(1.0)
    assert killed_midway(lambda: fold.keep(2.0), after_bytes=500)
    assert killed_before_rename(lambda: fold.keep(2.0))
    assert begun(config).registry.versions() == [kept]
    assert begun(config).state.written(1.0) == kept.path.read_bytes()
    assert fold.keep(2.0).number == kept.number + 1


def test_a_kill_while_a_pin_is_written_leaves_the_pin_before_it(config, stored):
    registry = begun(config).registry
    for write, current in (
        (registry.pin, lambda: registry.pinned),
        (registry.go_back, registry.wanted_back),
    ):
        write("000001-aaaaaaaa")
        assert killed_before_rename(lambda write=write: write("000002-bbbbbbbb"))
        assert current() == "000001-aaaaaaaa"


def test_a_batch_whose_line_was_cut_by_a_kill_is_not_in_the_log(config, stored):
    registry = begun(config).registry
    registry.log({"curious": ["dear"]})
    size = (config.learner_folder / "batches.jsonl").stat().st_size
    assert killed_midway(lambda: registry.log({"curious": ["x" * 500]}), after_bytes=size + 100)
    assert (config.learner_folder / "batches.jsonl").stat().st_size == size + 100
    assert list(registry.logged()) == [{"curious": ["dear"]}]
    registry.log({"curious": ["cheap"]})
    assert list(registry.logged()) == [{"curious": ["dear"]}, {"curious": ["cheap"]}]


def test_a_configuration_that_comes_while_the_learner_begins_is_followed(config, stored, tmp_path):
    Traffic(config, stored).send(40)
    fold = turned(begun(config))
    fold.keep(1.0).path.write_bytes(b"damaged")  # so that the beginning writes an event
    third = configured(
        tmp_path, yaml=YAML.replace("dear: {{ask: b}}", "dear: {{ask: b}}, third: {{ask: b}}")
    )

    class Interrupting(MemoryJournal):
        def note(self, event):
            if event.state == "set aside":
                reconfiguring.start()
                reconfiguring.join(0.2)

    publisher = Publisher(config, Interrupting())
    reconfiguring = threading.Thread(target=publisher.reconfigure, args=(third,))
    publisher.turn()
    reconfiguring.join()
    policy = publisher.news(NewsRequest("", 0)).policy
    assert set(policy.arms) == {"cheap", "dear", "third"}


def test_a_log_line_of_another_waggle_is_refused_with_the_way_out(config, stored):
    begun(config).registry.log({"dream": 1})
    with pytest.raises(
        ValueError, match=r"does not read, with dream: use the Waggle that wrote it"
    ):
        begun(config)
