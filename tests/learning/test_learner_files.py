"""The learner's files: damage, kills, pinned versions, rollbacks, and files of `waggle warm`."""

import json

import orjson
import pytest
from typer.testing import CliRunner

from learner import snapshot
from learner.policy import Arm
from router.cli.main import app
from router.learning.fold import Fold
from router.request.context import context_of
from tests.kills import killed_before_rename, killed_midway
from tests.learning.traffic import Traffic, begun, features_of, rebuilt, turned
from tests.sparing import slow_after


@pytest.mark.parametrize("harm", slow_after(2, ["cut", "nan", "empty", "features"]))
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
        content = rewritten(snapshot.opened(content) | {"features": "9:0"})
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
    """This content as a snapshot with a correct checksum."""
    from hashlib import blake2b

    body = orjson.dumps(stored_bandit)
    digest = blake2b(body, digest_size=16).hexdigest().encode()
    return b'{"checksum":"' + digest + b'","bandit":' + body + b"}\n"


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
    again = run(tmp_path, "warm", str(source)).output
    assert "learns nothing twice" in " ".join(again.split())
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 120
    policy = fold.policy(0.0).priced({})
    context = context_of(features_of("select 7"), "sql", lens=0)
    assert policy.distribution(context, policy.arms)[Arm("dear")] > 0.8
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)
    assert b"select" not in b"".join(
        p.read_bytes() for p in config.learner_folder.rglob("*") if p.is_file()
    )


@pytest.mark.slow
def test_a_lesson_shows_what_choosing_by_context_gains_before_the_first_request(
    config, stored, tmp_path
):
    source = tmp_path / "scored.jsonl"
    lines = [
        {"prompt": f"{n}", "task": task, "scores": {"cheap": cheap, "dear": 1 - cheap}}
        for n in range(300)
        for task, cheap in (("sql", 0.1), ("mail", 0.9))
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run(tmp_path, "warm", str(source))
    assert done.exit_code == 0, done.output
    fold = turned(begun(config))
    policy = fold.policy(0.0).priced({})
    assert policy.insight.ledger.least_gain > 0.1
    assert policy.guard.proved == 1
    for task, plan in (("sql", "dear"), ("mail", "cheap")):
        context = context_of(features_of("7"), task, lens=0)
        assert policy.distribution(context, policy.arms)[Arm(plan)] > 0.9
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "1 is not JSON"),
        ('{"scores": {"cheap": 1}}', 'needs a "prompt"'),
        ('{"prompt": "x"}', "neither columns `model` and `score`, nor"),
        ('{"prompt": "x", "scores": {}}', 'needs "scores"'),
        ('{"prompt": "x", "scores": {"gold": 1}}', "Plans: cheap, dear"),
        ('{"prompt": "x", "scores": {"dear": -7}}', "fit none of the scales"),
        ('{"prompt": "x", "scores": {"dear": "good"}}', "must be a number, not 'good'"),
        ('{"model": "dear", "score": 1}', "has no prompts"),
        ("", "holds no row"),
    ],
    ids=[
        *("torn", "no-prompt", "no-scores", "empty-scores", "unknown", "range", "text"),
        *("leaderboard", "empty"),
    ],
)
def test_a_lesson_with_a_bad_line_is_refused_with_its_number(config, tmp_path, line, says):
    source = tmp_path / "scored.jsonl"
    source.write_text(line)
    done = run(tmp_path, "warm", str(source))
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())


def test_warm_takes_a_table_with_a_row_for_each_answer_and_leaves_out_what_is_no_plan(
    config, stored, tmp_path
):
    source = tmp_path / "outcomes.csv"
    rows = ["prompt_id,category,prompt,model,score"]
    for n in range(60):
        rows += [f"{n},sql,select {n},cheap,10", f"{n},sql,select {n},gpt-9,55"]
        rows += [f"{n},sql,select {n},Dear,90"] if n % 2 else [f"{n},sql,select {n},Dear,"]
    source.write_text("\n".join(rows) + "\n")
    done = run(tmp_path, "warm", str(source), "--task", "category")
    output = " ".join(done.output.split())
    assert done.exit_code == 0, output
    assert "150 scores in long form, 30 missing; scores from 0 to 100 count from 0 to 1" in output
    assert "no plan for gpt-9" in output
    assert "60 prompts with 90 scores" in output
    fold = turned(begun(config))
    assert fold.state.bandit.learned == 90
    policy = fold.policy(0.0).priced({})
    context = context_of(features_of("select 7"), "sql", lens=0)
    assert policy.distribution(context, policy.arms)[Arm("dear")] > 0.8


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


def test_a_log_line_of_another_waggle_is_refused_with_the_way_out(config, stored):
    begun(config).registry.log({"dream": 1})
    with pytest.raises(
        ValueError, match=r"does not read, with dream: use the Waggle that wrote it"
    ):
        begun(config)
