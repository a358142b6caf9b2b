"""Cards say how good each plan was, on equal terms, and leave out what rests on too little."""

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import load
from router.outcomes.cards import benchmark_kind, cards_of
from router.outcomes.names import NameMatches
from router.outcomes.scores import Scale
from router.outcomes.table import table_of

BOTH = NameMatches({"x": ("cheap",), "y": ("dear",)})
ONE = Scale(0.0, 1.0)
YAML = """
# mine
backends:
  a: {kind: openai, base_url: "http://127.0.0.1:9/v1", model: claude-3-haiku}
  b: {kind: openai, base_url: "http://127.0.0.1:9/v1", model: gpt-4o}
plans:
  cheap: {ask: a}
  dear: {ask: b}
"""


def cards(rows, *, scale=ONE, least=1, kind_of=lambda _: "text"):
    return cards_of(table_of(rows, "x"), BOTH, scale, kind_of, least=least)


def test_a_model_that_was_tried_on_easy_things_only_gets_no_better_card_for_it():
    """Both models are equally good on each prompt. `y` skipped the hard half."""
    chance = np.random.default_rng(1)
    rows = []
    for n in range(400):
        hard = n % 2 == 0
        for model in ("x", "y", "z"):
            if not (model == "y" and hard and n > 20):
                score = float(chance.random() < (0.2 if hard else 0.9))
                rows.append({"prompt_id": n, "prompt": f"p{n}", "model": model, "score": score})
    plain = np.mean([row["score"] for row in rows if row["model"] == "y"])
    made = cards(rows).cards
    assert plain > 0.8
    assert made["cheap"]["any"] == pytest.approx(0.55, abs=0.05)
    assert made["dear"]["any"] == pytest.approx(0.55, abs=0.07)


def test_a_card_for_a_kind_needs_enough_answers():
    rows = [
        {"prompt": f"{'code' if n < 5 else 'text'} {n}", "model": "x", "score": 1}
        for n in range(30)
    ]
    made = cards(rows, least=20, kind_of=lambda prompt: prompt.partition(" ")[0])
    assert made.cards == {"cheap": {"any": 1.0, "text": 1.0}}
    assert made.counts["cheap", "text"] == 25


@pytest.mark.parametrize(
    ("benchmark", "kind"),
    [
        ("HumanEval+", "code"),
        ("MMLU-Pro", "question"),
        ("GSM8K", "reasoning"),
        ("BFCL v3", "tools"),
        ("code", "code"),
        ("Elo", ""),
    ],
)
def test_the_name_of_a_benchmark_says_which_kind_of_request_it_asks(benchmark, kind):
    assert benchmark_kind(benchmark) == kind


def test_a_benchmark_that_seems_to_have_another_scale_is_left_out_and_named():
    rows = [
        {"model": "x", "MMLU": 70.0, "MT-Bench": 8.1},
        {"model": "y", "MMLU": 80.0, "MT-Bench": 9.2},
    ]
    made = cards(rows, scale=Scale(0.0, 100.0))
    assert made.cards == {
        "cheap": {"any": 0.7, "question": 0.7},
        "dear": {"any": 0.8, "question": 0.8},
    }
    assert "may have another scale" in made.left_out["MT-Bench"]


def run(tmp_path, *args):
    (tmp_path / "waggle.yaml").write_text(YAML)
    return CliRunner().invoke(app, ["cards", *map(str, args), "-c", str(tmp_path / "waggle.yaml")])


def board(tmp_path):
    path = tmp_path / "board.csv"
    path.write_text(
        "model,MMLU,HumanEval\nclaude-3-haiku-20240307,75,76\ngpt-4o-2024-05-13,89,90\nfoo,50,50\n"
    )
    return path


def test_cards_are_printed_as_yaml_that_a_configuration_takes(tmp_path):
    done = run(tmp_path, board(tmp_path))
    assert done.exit_code == 0, done.output
    assert "no plan for foo" in done.output
    wanted = {
        "cheap": {"any": 0.755, "question": 0.75, "code": 0.76},
        "dear": {"any": 0.895, "question": 0.89, "code": 0.9},
    }
    assert yaml.safe_load(done.stdout) == {"objective": {"cards": wanted}}
    path = tmp_path / "waggle.yaml"
    path.write_text(YAML + done.stdout)
    assert load(path).objective.cards == wanted


@pytest.mark.parametrize("more", ["", "objective:  # goals\n  strategy: bandit\n"])
def test_cards_are_written_into_a_configuration_and_every_other_line_stays(tmp_path, more):
    path = tmp_path / "other.yaml"
    path.write_text(YAML + more)
    done = run(tmp_path, board(tmp_path), "--into", path)
    assert done.exit_code == 0, done.output
    assert load(path).objective.cards["dear"]["any"] == 0.895
    assert all(line in path.read_text() for line in (YAML + more).splitlines())
    again = run(tmp_path, board(tmp_path), "--into", path)
    assert again.exit_code == 2
    assert "has objective.cards already" in again.output


def test_cards_are_not_written_into_a_configuration_that_they_would_break(tmp_path):
    path = tmp_path / "other.yaml"
    text = YAML.replace("dear:", "gold:")
    path.write_text(text)
    done = run(tmp_path, board(tmp_path), "--into", path)
    assert done.exit_code == 2
    assert "dear" in done.output
    assert path.read_text() == text
    flow = YAML + "objective: {strategy: bandit}\n"
    path.write_text(flow)
    assert "on one line" in run(tmp_path, board(tmp_path), "--into", path).output
    assert path.read_text() == flow
