"""`waggle conversations ...`, as an operator types it."""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.conversations import forget_callers
from router.cli.main import app
from router.config.config import Config
from router.conversations.kept import NewResponse
from router.conversations.store import ConversationStore
from router.keys import new_key, save_keys

DAY = 86_400.0
SECRET = "the-word-that-must-go"
_, ALICE = new_key("alice", "2026-01-01")
_, BOB = new_key("bob", "2026-01-01")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two turns of a chain and a conversation of alice's, and an old chain of bob's."""
    save_keys(tmp_path / "keys.json", [ALICE, BOB])
    store = ConversationStore(tmp_path / "conversations", keep_seconds=30 * DAY, max_bytes=2**30)
    now = time.time()

    def turn(id_: str, words: str, **more: str) -> NewResponse:
        item = {"type": "message", "id": f"in_{id_}", "role": "user", "content": words}
        return NewResponse(id_, {"id": id_}, [item], [], session=f"session of {id_}", **more)

    store.add_response(ALICE.id, turn("resp_1", f"first {SECRET}"), "", now)
    store.add_response(ALICE.id, turn("resp_2", "second", previous="resp_1"), "resp_1", now)
    item = {"type": "message", "id": "m", "role": "user", "content": "spoken"}
    store.add_conversation(ALICE.id, "conv_1", {}, [item], now)
    store.add_response(BOB.id, turn("resp_3", "bob's"), "", now - 10 * DAY)
    store.close()
    return tmp_path


@pytest.fixture
def waggle(folder: Path):
    def run(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["conversations", *args, "--data", str(folder)])
        return result.exit_code, " ".join(result.output.split())

    return run


def test_conversations_are_listed_without_their_words(waggle):
    code, output = waggle("list")
    assert code == 0
    assert "alice resp_1 chain 2 2" in output
    assert "alice conv_1 conversation 0 1" in output
    assert "bob resp_3 chain 1 1" in output
    assert SECRET not in output
    assert "bob" not in waggle("list", "--key", "alice")[1]
    assert waggle("list", "--key", "nobody") == (0, "Nothing is kept.")


def test_a_conversation_is_shown_with_its_words(waggle):
    assert waggle("show", "resp_2") == (0, f"user: first {SECRET} user: second")
    assert waggle("show", "conv_1") == (0, "user: spoken")
    code, output = waggle("show", "resp_9")
    assert (code, "nothing is kept under the id resp_9" in output) == (2, True)


@pytest.mark.parametrize(
    ("conditions", "count", "left"),
    [
        (("resp_2",), 1, ("conv_1", "resp_3")),  # a response goes with all its turns
        (("--key", "alice"), 2, ("resp_3",)),
        (("--key", BOB.id), 1, ("resp_1", "conv_1")),
        (("--older-than", "7"), 1, ("resp_1", "conv_1")),
        (("--key", "alice", "--older-than", "7"), 0, ("resp_1", "conv_1", "resp_3")),
        (("resp_9",), 0, ("resp_1", "conv_1", "resp_3")),
    ],
)
def test_conversations_are_forgotten_by_id_key_and_age(waggle, folder, conditions, count, left):
    code, output = waggle("forget", *conditions, "--yes")
    assert (code, output) == (0, f"{count} conversations are forgotten.")
    shown = waggle("list")[1]
    assert [name for name in ("resp_1", "conv_1", "resp_3") if name in shown] == [
        name for name in ("resp_1", "conv_1", "resp_3") if name in left
    ]
    files = b"".join(path.read_bytes() for path in (folder / "conversations").iterdir())
    assert (SECRET.encode() in files) == ("resp_1" in left)


def test_nothing_is_forgotten_without_a_condition(waggle):
    code, output = waggle("forget", "--yes")
    assert (code, "say which conversations" in output) == (2, True)


def test_without_a_store_nothing_is_made(tmp_path):
    result = CliRunner().invoke(app, ["conversations", "list", "--data", str(tmp_path)])
    assert (result.exit_code, "no conversation is kept" in result.output) == (1, True)
    assert not (tmp_path / "conversations").exists()


@pytest.mark.parametrize(
    ("key_ids", "names", "sessions", "count"),
    [
        ([ALICE.id], [], [], 2),
        ([], ["conv_1"], [], 1),
        ([], [], ["session of resp_1"], 1),
        ([], [], ["session of resp_2"], 0),  # the first turn names the session of a chain
        ([], [], [], 0),
    ],
)
def test_what_a_caller_is_forgotten_by_forgets_conversations_too(
    folder, key_ids, names, sessions, count
):
    config = Config.model_validate(
        {
            "server": {"data": str(folder)},
            "backends": {"g": {"kind": "generator"}},
            "plans": {"g": {"ask": "g"}},
        }
    )
    assert forget_callers(config, key_ids, names, sessions) == count
