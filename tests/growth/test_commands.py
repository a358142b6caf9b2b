"""`waggle growth`, without a running service."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import load
from router.plans.made import MadePlan, keep_words
from router.trials.ledger import Ledger
from router.trials.made_trials import make

YAML = """
server: {{data: {data}}}
backends: {{a: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}}}
plans: {{x: {{ask: a}}}}
trials: {{propose: true}}
growth: {{approve: true}}
"""
SHOWN = [{"prompt": "whose invoice is this", "answer": "Ada's"}]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    path = tmp_path / "waggle.yaml"
    path.write_text(YAML.format(data=tmp_path / "var"))
    config = load(path, {})
    return Ledger(config.trials_folder, config)


def run(*words, status=0):
    result = CliRunner().invoke(app, ["growth", *words])
    assert result.exit_code == status, result.output + result.stderr
    return result.output + result.stderr


def enter(ledger, name, plan, author="steps", **more):
    made = MadePlan(name, name.partition("-")[0], "x", plan, author=author, at=1.0, **more)
    keep_words(ledger.book.config.growth_folder, made)
    ledger.change(make, made, 1.0, waits=True, alpha=0.05, most=400)


def test_a_person_looks_at_what_was_made_and_decides(ledger):
    assert "Nothing was made yet" in run("list")
    enter(ledger, "p1-steps-1", {"ask": "a", "instruct": "Step by step."})
    assert "p1-steps-1 waiting: from x by steps, for p1" in run("list")
    enter(ledger, "p2-x-less-gate-1", {"ask": "a"}, author="")  # a plan with a stage less
    assert "p2-x-less-gate-1 waiting: from x, for p2" in run("list")
    assert "made from x, version 1" in run("show", "p2-x-less-gate-1")
    assert "Step by step." in run("show", "p1-steps-1")
    assert "p1-steps-1 is running" in run("approve", "p1-steps-1")
    assert "p1-steps-1 is adopted" in run("approve", "p1-steps-1")
    assert "adopted: only a plan that waits" in run("approve", "p1-steps-1", status=2)
    assert yaml.safe_load(run("export"))["plans"]["p1-steps-1"]["instruct"] == "Step by step."
    assert "p1-steps-1 is removed" in run("remove", "p1-steps-1")
    assert json.loads(run("list", "--json"))["plans"][-1]["state"] == "removed"
    assert "no made plan has this name. There are: p1-steps-1" in run("forbid", "p9", status=2)


def test_words_of_callers_are_exported_only_on_demand(ledger):
    enter(ledger, "p2-examples-1", {"ask": "a", "examples": SHOWN}, scope="key k")
    run("approve", "p2-examples-1")
    run("approve", "p2-examples-1")
    assert "Ada" not in run("list") + run("show", "p2-examples-1")
    shown = run("export")
    assert "Left out, as they hold words of callers: p2-examples-1" in shown
    assert "Ada" not in shown
    exported = yaml.safe_load(run("export", "--words"))
    assert exported["plans"]["p2-examples-1"]["examples"] == SHOWN
    run("forbid", "p2-examples-1")
    assert not list((ledger.book.config.growth_folder / "examples").iterdir())
