"""`waggle knowledge grants | grant | revoke | decide`, as an operator types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.audit_log import AuditLog
from router.cli.main import app
from router.keys import new_key, save_keys
from router.knowledge.rights.asking import Asks
from router.knowledge.rights.asks import AccessWish
from router.knowledge.rights.reader import Readers
from router.knowledge.rights.rights import Rights

CONFIG = """
backends: {g: {kind: generator}}
plans: {ask: {ask: g}}
knowledge: {handbook: {owner: alice}, cases: {}}
"""
Run = Callable[..., tuple[int, str]]
_, ALICE = new_key("alice", "2026-01-01")
_, BOB = new_key("bob", "2026-01-01")


@pytest.fixture
def waggle(tmp_path: Path) -> Run:
    (tmp_path / "waggle.yaml").write_text(CONFIG)
    save_keys(tmp_path / "keys.json", [ALICE, BOB])
    options = ("--data", str(tmp_path), "--config", str(tmp_path / "waggle.yaml"))

    def run(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["knowledge", *args, *options])
        return result.exit_code, " ".join(result.output.split())

    return run


def test_an_operator_gives_changes_and_takes_access(waggle: Run, tmp_path: Path) -> None:
    code, text = waggle("grant", "handbook", "key:bob", "--until", "30d", "--rate", "60")
    assert (code, "Grant 1 of handbook: who key:bob, may read" in text) == (0, True)
    rights = Rights(tmp_path / "knowledge")
    bob = Readers(tmp_path / "keys.json").reader(BOB.id)
    assert rights.readable(bob, ["handbook", "cases"]) == ("handbook",)
    assert waggle("grant", "handbook", "1", "--rate", "5", "--must-cite")[0] == 0
    terms = rights.grants("handbook")[0].terms
    assert (terms.rate, terms.must_cite, terms.until is not None) == (5, True, True)
    assert waggle("revoke", "handbook", "key:bob") == (0, "Grant 1 of handbook is revoked.")
    assert rights.readable(bob, ["handbook"]) == ()
    _, events = waggle("grants", "handbook", "--events", "--json")
    assert [each["kind"] for each in json.loads(events)] == [
        *("declared", "granted", "changed", "revoked")
    ]
    assert len([*AuditLog(tmp_path).lines()]) == 3
    rights.close()


def test_an_operator_answers_an_ask_and_sees_who_reads_what(waggle: Run, tmp_path: Path) -> None:
    assert waggle("grants")[0] == 0  # declares the stores
    rights = Rights(tmp_path / "knowledge")
    bob = Readers(tmp_path / "keys.json").reader(BOB.id)
    Asks(rights).ask(bob, "cases", AccessWish(), "an offer for case 12")
    assert "bob an offer for" in waggle("grants", "cases")[1]
    code, text = waggle("decide", "1", "yes", "--until", "14d")
    assert (code, text) == (0, "Ask 1 for cases: granted, grant 1.")
    rights.take(bob, "cases", "read")
    assert "bob" in waggle("grants", "--use")[1]
    assert waggle("decide", "1", "no")[0] != 0  # it is answered
    rights.close()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("grant", "handbook", "bob"), "who is key:NAME, locale:TEAM or everybody"),
        (("grant", "nowhere", "key:bob"), "there is no store nowhere"),
        (("grant", "handbook", "key:bob", "--until", "soon"), "an end is a time such as 30d"),
        (("revoke", "handbook", "7"), "handbook has no grant in force for 7"),
        (("decide", "7", "yes"), "no ask 7 waits"),
        (("decide", "7", "maybe"), "neither yes nor no"),
        (("grants", "nowhere"), "there is no store nowhere"),
    ],
)
def test_a_wrong_word_is_named(waggle: Run, args: tuple[str, ...], words: str) -> None:
    code, text = waggle(*args)
    assert code != 0
    assert words in text
