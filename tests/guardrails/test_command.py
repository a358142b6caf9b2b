"""`waggle guard` and `waggle check` say what guards do; a wrong guard is refused by its rule."""

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.cli.terminal import out
from router.config.load import load
from router.config.problems import ConfigError

BACKENDS = """
backends:
  up: {kind: openai, base_url: "http://127.0.0.1:9/v1", model: up-1, price: {input: 1, output: 2}}
  box: {kind: sandbox}
plans: {up: {ask: up}}
"""
GUARDS = """
guardrails:
  - {name: safety, kind: classifier, ask: up}
  - {name: pii, kind: redact, when: both}
  - {name: words, kind: words, words: [falcon]}
"""


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    """No sentence is wrapped, whatever the terminal."""
    monkeypatch.setattr(out, "_width", 300)


def run(tmp_path, *words: str, guards: str = GUARDS):
    path = tmp_path / "waggle.yaml"
    path.write_text(BACKENDS + guards)
    return CliRunner().invoke(app, [*words, "-c", str(path)])


def test_a_text_is_tried_without_a_service(tmp_path):
    result = run(tmp_path, "guard", "Write to ann@example.org")
    assert result.exit_code == 0
    assert "safety skipped" in result.output
    assert "pii redacted by email" in " ".join(result.output.split())
    assert result.output.strip().endswith("Write to [EMAIL_1]")


def test_a_text_that_is_blocked_ends_with_1_and_names_the_rule(tmp_path):
    result = run(tmp_path, "guard", "the Falcon")
    assert result.exit_code == 1
    assert "The guard `words` blocks the request, by its rule `words[0]`." in result.output


def test_a_text_is_tried_as_an_answer(tmp_path):
    result = run(tmp_path, "guard", "--answer", "It is eve@example.com, the falcon")
    assert result.output.strip().endswith("It is [EMAIL], the falcon")


def test_without_guards_the_command_says_how_to_add_one(tmp_path):
    result = run(tmp_path, "guard", "hi", guards="")
    assert result.exit_code != 0
    assert "add `guardrails:`" in result.output


def test_the_check_says_what_each_guard_does_and_warns_of_the_order(tmp_path):
    output = " ".join(run(tmp_path, "check").output.split())
    assert "pii redact, before and after a call: redact email, phone, card, iban" in output
    assert "block what up does not label safe; each call is paid for" in output
    assert "guard safety: up reads the words that pii takes out. Put pii before it" in output


@pytest.mark.parametrize(
    ("guard", "rule"),
    [
        ("{name: a, kind: words}", "needs `words` or `regexes`"),
        ("{name: a, kind: words, words: [x], find: [email]}", "of kind words takes no `find`"),
        ("{name: a, kind: words, regexes: ['(']}", "is not a regular expression"),
        ("{name: a, kind: redact, action: burn}", "Input should be 'block', 'redact' or 'mark'"),
        ("{name: a, kind: schema, action: redact}", "must be one of block, mark"),
        ("{name: a, kind: schema}", "runs before a call needs `part`"),
        ("{name: a, kind: classifier}", "needs `ask`"),
        ("{name: a, kind: classifier, ask: nobody}", "no backend is called that"),
        ("{name: a, kind: classifier, ask: box}", "only a model can classify"),
        ("{name: a, kind: classifier, ask: up, allow: [safe, unsafe]}", "not all of them"),
        ("{name: a, kind: function}", "needs `source` or `file`"),
        ("{name: a, kind: function, file: nowhere.py}", "there is no such file"),
        ("{name: a, kind: redact}, {name: a, kind: redact}", "two guards have the name a"),
    ],
)
def test_a_wrong_guard_is_refused_by_its_rule(tmp_path, guard: str, rule: str):
    path = tmp_path / "waggle.yaml"
    path.write_text(f"{BACKENDS}guardrails: [{guard}]\n")
    with pytest.raises(ConfigError) as refusal:
        load(path, {})
    assert rule.lower() in str(refusal.value).lower()
