"""A run trains in a process of its own; the registry holds what it made, whenever it is killed."""

import os
import signal

import pytest
from typer.testing import CliRunner

from router.cli.models import models_app
from router.config.config import Config
from router.config.load import at_home
from router.deployment.doctor import examine
from router.models.features import Asked
from router.models.models import Models
from router.models.registry import Registry
from router.training.data_card import content_of
from router.training.data_query import DataRefused
from router.training.data_rows import DataRow, Message
from router.training.data_sets import DataSet, DataSets
from router.training.examples import examples_of
from router.training.model_changes import Refused, promote, remove, rollback
from router.training.run import carry_out
from router.training.starting import RunEnded, job_of, start
from router.training.trainer import Wish
from router.training.workplace import RESULT, Workplace
from tests.training import tickets

PARCEL = Asked("my parcel and courier are wrong today", tickets.SYSTEM)
WISH = Wish(vectors=False)


@pytest.fixture
def config(tmp_path):
    tickets.data_set(tmp_path / "training", tickets.rows_of(260))
    backends = {"triage": {"kind": "learned", "model": "triage"}}
    raw = {"server": {"data": str(tmp_path)}, "backends": backends}
    return at_home(Config.model_validate({**raw, "plans": {"triage": {"ask": "triage"}}}))


def made(config, **wish):
    job = job_of(config, "triage", "tickets", Wish(vectors=False, **wish))
    job.folder.mkdir(parents=True, exist_ok=True)
    return carry_out(job)


def test_a_run_ends_in_a_model_with_its_card_and_a_row(config):
    job = job_of(config, "triage", "tickets", WISH, promote=True)
    steps = []
    result = start(job).wait(lambda done, _what: steps.append(done))
    assert result["model"] == "triage@1"
    assert result["promoted"]
    opened = Models(config.models_folder).get("triage")
    assert opened.model.of(PARCEL).answer == "shipping"
    assert opened.card.data == {"name": "tickets", "version": 1, "hash": job.data_hash}
    assert os.nice(0) < 15  # the run is niced, and not the process that waits for it
    journals = (config.telemetry_folder / "journal" / "events").glob("*")
    rows = b"".join(path.read_bytes() for path in journals)
    assert b'"running"' in rows
    assert b'"finished"' in rows
    assert tickets.SYSTEM.encode() not in rows


def test_a_killed_run_leaves_the_last_model_and_goes_on(config):
    made(config)
    promote(Registry(config.models_folder), "triage@1")
    job = job_of(config, "triage", "tickets", Wish(vectors=False, seed=8))
    running = start(job)
    os.kill(running.process.pid, signal.SIGKILL)
    with pytest.raises(RunEnded, match="signal 9 ended the run: the same command goes on"):
        running.wait()
    assert Models(config.models_folder).get("triage").card.version == 1
    assert carry_out(job)["model"] == "triage@2"
    (job.folder / RESULT).unlink()
    assert carry_out(job)["model"] == "triage@2"  # the same run again adds no version


def test_sentence_vectors_are_made_once_whenever_a_run_is_killed(config):
    class Counting:
        name, dimensions, texts = "counting", 384, 0

        def encode(self, texts):
            import numpy as np

            self.texts += len(texts)
            return np.full((len(texts), 384), 0.05, np.float32)

    job = job_of(config, "triage", "tickets", Wish())
    job.folder.mkdir(parents=True)
    encoder, words = Counting(), [PARCEL] * 300
    first = Workplace(job, lambda: encoder).features("train", words, vectors=True)
    assert encoder.texts == 300
    next(job.folder.glob("train-counting-1.npy")).unlink()
    again = Workplace(job, lambda: encoder).features("train", words, vectors=True)
    assert encoder.texts == 300 + 128
    assert all((a.vector == b.vector).all() for a, b in zip(first, again, strict=True))


def test_versions_are_promoted_taken_back_and_removed(config):
    for seed in (1, 2, 3):
        made(config, seed=seed)
    registry = Registry(config.models_folder)
    with pytest.raises(Refused, match="nothing is promoted"):
        rollback(registry, "triage")
    promote(registry, "triage@1")
    promote(registry, "triage@3")
    with pytest.raises(Refused, match="answers requests now: promote another"):
        remove(registry, "triage@3")
    assert rollback(registry, "triage") == 1
    assert Models(config.models_folder).get("triage").card.version == 1
    assert made(config, seed=4)["model"] == "triage@4"
    assert remove(registry, "triage@4") == [4]
    assert remove(registry, "triage") == [1, 2, 3]
    assert not list((config.models_folder / "files").iterdir())
    assert made(config, seed=5)["model"] == "triage@5"  # a number is never given twice


def test_a_model_that_did_not_pass_is_promoted_only_anyway(config, tmp_path):
    rows = tickets.rows_of(300, write=lambda _, chance: chance.choice(["yes", "no"]))
    tickets.data_set(tmp_path / "training", rows, name="noise")
    job = job_of(config, "noise", "noise", WISH, promote=True)
    job.folder.mkdir(parents=True)
    assert not carry_out(job)["promoted"]
    registry = Registry(config.models_folder)
    with pytest.raises(Refused, match="did not pass: at no confidence"):
        promote(registry, "noise@1")
    promote(registry, "noise@1", anyway=True)
    assert registry.find("noise")[1].number == 1


def test_a_data_set_that_changed_is_not_trained_on(config, tmp_path):
    job = job_of(config, "triage", "tickets", WISH)
    job.folder.mkdir(parents=True)
    place = tmp_path / "training" / "data" / "tickets" / "v1"
    (place / "test.jsonl").write_text("")
    with pytest.raises(DataRefused, match="has changed since the run was wished for"):
        carry_out(job)
    (place / "train.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataRefused, match=r"train.jsonl line 1 is no row \(KeyError\)"):
        DataSets(tmp_path / "training" / "data").named("tickets")


def test_the_commands_show_compare_and_export(config, tmp_path):
    made(config, seed=1)
    made(config, seed=2)
    file = tmp_path / "waggle.yaml"
    backends = "backends: {a: {kind: generator}}\nplans: {a: {ask: a}}\n"
    file.write_text(f"server: {{data: {tmp_path}}}\n{backends}")

    def run(*arguments):
        outcome = CliRunner().invoke(models_app, [*arguments, "-c", str(file)])
        return outcome.output if outcome.exit_code == 0 else repr(outcome.exception)

    assert "there is tickets" in run("train", "third", "--data", "ticket")
    assert "triage@2 answers from now on" in run("promote", "triage@2")
    assert "promoted" in run("list")
    assert "passed" in run("show", "triage")
    assert "triage@1" in run("diff", "triage@1", "triage@2")
    assert "no model is called ghost" in run("show", "ghost")
    assert "2 runs" in run("export", "--mlflow", str(tmp_path / "mlruns"))
    runs = list((tmp_path / "mlruns" / "1").glob("*/metrics/answered"))
    assert len(runs) == 2
    assert len(runs[0].read_text().split()) == 3
    assert not list((tmp_path / "mlruns").rglob("*.new"))


def test_the_doctor_says_which_version_answers_or_how_to_get_one(config):
    def learned():
        return next(each for each in examine(config, None) if each.what == "Learned triage")

    assert (learned().verdict, "waggle models train triage" in learned().mend) == ("warn", True)
    made(config)
    promote(Registry(config.models_folder), "triage")
    assert learned().state == "triage@1 answers"


def test_a_row_that_a_data_set_writes_is_read(tmp_path):
    messages = (Message("system", "Sort."), Message("user", "my parcel"))
    good = DataRow("r1", 5, messages, "shipping", 0.9, "demonstration", plan="vote", language="en")
    pair = DataRow("r2", 6, messages, "shipping", 1.0, "pair", rejected="billing")
    rows = {"train": (good, pair), "validation": (), "test": ()}
    sets = DataSets(tmp_path / "data")
    sets.write(DataSet("tickets", 1, content_of(rows), rows), {})
    first, second = examples_of(sets.named("tickets@v1").rows["train"])
    assert first.words == Asked("my parcel", "Sort.")
    assert (first.answer, first.quality, first.shown, first.teacher) == (
        "shipping",
        0.9,
        True,
        "vote",
    )
    assert second.rejected == "billing"
