"""Prompts that write functions compete by what their functions achieved, and are rewritten."""

import json
from random import Random

import pytest

from router.config.load import load
from router.routing.function_contract import lint
from router.routing.strategies import Strategy
from router.trials.authoring import Author
from router.trials.book import Book, Rejected
from router.trials.changes import open_trial, register, state_line, write
from router.trials.ledger import Ledger
from router.trials.prompt_rewriting import MOST_CHARACTERS, rewritten
from router.trials.prompt_versions import (
    CONTRACT,
    chances,
    chosen,
    competing,
    evidence_of,
    first_version,
    refused_line,
    retirement_lines,
    to_rewrite,
    version_line,
    versions_of,
)
from tests.trials.test_commands import SOURCE, place, run  # noqa: F401 - a fixture
from tests.trials.test_director import YAML

BETTER = f"Look at the kind first.\n\n{CONTRACT}\n"


@pytest.fixture
def book(tmp_path):
    file = tmp_path / "waggle.yaml"
    file.write_text(YAML.format(data=tmp_path, adopt="false", propose="false"))
    made = Book(load(file))
    add(made, [first_version(0.0)])
    return made


def add(book, lines):
    for line in lines:
        book.fold(line)


def achieve(book, version, state, at, lift=0.0):
    """A function of this version that came to this end."""
    evidence = evidence_of("writer", version)
    function = Strategy("written", "function", source=SOURCE, evidence=evidence)
    add(book, register(book, function, at))
    key = book.latest("written").key
    add(book, open_trial(book, f"t{at}", key, at, opened_by="author"))
    trial = book.trial(f"t{at}")
    line = state_line(trial, state, at, "the numbers")
    add(book, [line | {"numbers": {"lift": {"mean": lift}}}])


def compete(book):
    add(book, [version_line(2, 1.0, text=BETTER, parent=1, author="writer", why="rewritten")])


def test_the_prompt_whose_functions_win_writes_most_of_the_next_ones(book):
    compete(book)
    for n in range(4):
        achieve(book, 2, "adopted" if n else "kept", 10.0 + n)
        add(book, [refused_line(1, "lint: no", 20.0 + n)])
    drawn = [chosen(competing(book), Random(n)).version for n in range(200)]
    assert drawn.count(2) > 160
    assert drawn.count(1) > 0
    assert chances(competing(book))[2] > 0.8


def test_a_prompt_that_is_clearly_behind_is_retired_and_the_other_rewritten(book):
    compete(book)
    assert retirement_lines(book, 9.0) == []
    for n in range(6):
        achieve(book, 2, "adopted", 10.0 + n)
        add(book, [refused_line(1, "lint: no", 20.0 + n)])
    assert to_rewrite(book) is None
    add(book, retirement_lines(book, 30.0))
    assert [version.version for version in competing(book)] == [2]
    why = versions_of(book)[0].retired
    assert "scored 0.00 on average, and the 6 of version 2 scored 1.00" in why
    assert to_rewrite(book).version == 2


def test_a_trial_that_was_cut_short_says_nothing_and_a_rollback_takes_the_win_back(book):
    achieve(book, 1, "stopped", 10.0)
    achieve(book, 1, "superseded", 11.0)
    assert versions_of(book)[0].achieved == ()
    achieve(book, 1, "kept", 12.0, lift=-0.02)
    achieve(book, 1, "rolled back", 13.0)
    assert [round(each.score, 2) for each in versions_of(book)[0].achieved] == [0.22, 0.1]


@pytest.mark.parametrize(
    ("answer", "gate"),
    [
        ("Here is a prompt.", "no prompt between"),
        (f"<prompt>{BETTER}{'x ' * MOST_CHARACTERS}</prompt>", "characters, and 6,000"),
        ("<prompt>Just choose well.</prompt>", "contract is not kept word for word"),
        (f"<prompt>{BETTER.replace('None for no', 'null for no')}</prompt>", "# returns the name"),
        (f"<prompt>{BETTER}The key is hunter2hunter2</prompt>", "a secret of this configuration"),
        (f"<prompt>{BETTER}Use sk-proj-4f9a8b7c6d5e</prompt>", "looks like a key"),
        (f"<prompt>{BETTER}Ask bee@example.com</prompt>", "looks like a key or personal data"),
        (f"<prompt>{BETTER}\x1b[31m</prompt>", "cannot be printed"),
        (f"<prompt>An  old one.\n{CONTRACT}</prompt>", "the same as an earlier version"),
    ],
)
def test_a_gate_refuses_a_rewritten_prompt_by_name(answer, gate):
    with pytest.raises(Rejected, match=gate):
        rewritten(answer, ["hunter2hunter2"], [f"An old one.\n{CONTRACT}"])


def test_the_first_prompt_passes_its_own_gates():
    text = first_version(0.0)["text"]
    assert rewritten(f"<prompt>{text}</prompt>", ["an-api-key"], []) == text
    assert lint(SOURCE) == []


class Director:
    """The book, without a file."""

    def __init__(self, book):
        self.book = book

    def change(self, decide, *args):
        lines = decide(self.book, *args)
        add(self.book, lines)
        return lines


def writing(book):
    trials = book.config.trials.model_copy(update={"writer": "a"})
    return Author(Director(book)), book.config.model_copy(update={"trials": trials})


def test_after_three_ends_a_model_is_asked_for_a_better_prompt_once(book):
    author, config = writing(book)
    author.ask_for_prompt(config, 5.0)
    assert author.errand is None
    achieve(book, 1, "adopted", 10.0)
    add(book, [refused_line(1, "lint: no", 11.0), refused_line(1, "lint: line 2", 12.0)])
    author.ask_for_prompt(config, 20.0)
    question = author.errand.prompt
    assert "- 1.00: adopted: the numbers" in question
    assert "- 0.00: lint: line 2" in question
    assert "Made by hand." in question  # the source of the function that won
    errand, wants = author.finish(author.errand.id)
    assert wants == "prompt"
    author.take_prompt(errand, "no prompt", [], 21.0)
    author.ask_for_prompt(config, 22.0)
    assert author.errand is None  # it waits for new scores after a refusal
    for n in range(3):
        add(book, [refused_line(1, "lint: no", 30.0 + n)])
    author.ask_for_prompt(config, 40.0)
    errand, _ = author.finish(author.errand.id)
    author.take_prompt(errand, f"<prompt>{BETTER}</prompt>", [], 41.0)
    assert [(version.version, version.parent) for version in competing(book)] == [(1, 0), (2, 1)]
    author.ask_for_prompt(config, 42.0)
    assert author.errand is None


def test_a_command_shows_lineage_and_scores(place):  # noqa: F811
    assert "No prompt was used yet" in run("routes", "prompts")
    config = load(place / "waggle.yaml")
    ledger = Ledger(config.trials_folder, config)
    ledger.change(write, first_version(1.0), refused_line(1, "lint: no", 2.0))
    ledger.change(
        write, version_line(2, 3.0, text=BETTER, parent=1, author="a", why="rewritten from 1")
    )
    first, second = json.loads(run("routes", "prompts", "--json"))["prompts"]
    assert (first["functions"], first["score"], first["state"]) == (1, 0.0, "competes")
    assert (second["parent"], second["author"], second["score"]) == (1, "a", None)
    assert first["chance"] + second["chance"] == pytest.approx(1)
    table = run("routes", "prompts")
    assert "rewritten from 1" in table
    assert "Look at the kind first." in run("routes", "prompts", "2")
    assert "has this number. There are: 1, 2" in run("routes", "prompts", "7", status=2)
