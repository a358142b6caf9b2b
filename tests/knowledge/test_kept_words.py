"""Kept answers that may quote a store are handed out only while their owner may read the store."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.batches.stored_files import FileStore
from router.config.batches import FileSettings
from router.conversations.kept import NewResponse, NotKept, Page
from router.conversations.store import ConversationStore
from router.wire.errors import NotFound

NOW, OWNER = 1e9, "k1"
QUESTION = {"id": "msg_1", "role": "user", "content": "how much?"}
ANSWER = {"id": "msg_2", "role": "assistant", "content": "9 per cent, says the handbook"}
Look = Callable[[ConversationStore], object]

WAYS: dict[str, Look] = {
    "the response": lambda store: store.response(OWNER, "resp_1", NOW),
    "what it was made from": lambda store: store.input_items(OWNER, "resp_1", NOW),
    "the next turn": lambda store: store.earlier(OWNER, "resp_1", NOW),
    "one item": lambda store: store.referenced(OWNER, "msg_2", NOW),
    "the conversation": lambda store: store.conversed(OWNER, "conv_1", NOW),
    "its items": lambda store: store.items(OWNER, "conv_1", Page(), NOW),
    "an item of it": lambda store: store.item(OWNER, "conv_1", "msg_2", NOW),
    "where the item was quoted": lambda store: store.conversed(OWNER, "conv_2", NOW),
}


class Readable(set[str]):
    """The stores that everybody may read now."""

    def may(self, owner: str, store: str) -> bool:
        return bool(owner) and store in self


@pytest.fixture
def readable() -> Readable:
    return Readable({"handbook"})


@pytest.fixture
def kept(tmp_path: Path, readable: Readable) -> ConversationStore:
    store = ConversationStore(tmp_path, keep_seconds=1e9, max_bytes=2**20, may_read=readable.may)
    store.add_conversation(OWNER, "conv_1", {}, [], NOW)
    new = NewResponse(
        *("resp_1", {"id": "resp_1"}, [QUESTION], [ANSWER]),
        conversation="conv_1",
        stores=["handbook"],
    )
    store.add_response(OWNER, new, "conv_1", NOW)
    store.add_conversation(OWNER, "conv_2", {}, [], NOW)
    store.add_items(OWNER, "conv_2", [ANSWER], NOW)
    store.add_conversation(OWNER, "conv_3", {}, [{**QUESTION, "id": "msg_3"}], NOW)
    return store


@pytest.mark.parametrize("way", WAYS)
def test_no_way_hands_out_words_of_a_store_that_was_taken_away(
    kept: ConversationStore, readable: Readable, way: str
) -> None:
    assert WAYS[way](kept)
    readable.clear()
    with pytest.raises(NotKept):
        WAYS[way](kept)
    assert kept.conversed(OWNER, "conv_3", NOW).items
    readable.add("handbook")
    assert WAYS[way](kept)


def test_what_may_not_be_read_may_be_deleted(kept: ConversationStore, readable: Readable) -> None:
    readable.clear()
    kept.delete_item(OWNER, "conv_1", "msg_2", NOW)
    kept.delete_response(OWNER, "resp_1", NOW)
    kept.delete_conversation(OWNER, "conv_1", NOW)
    readable.add("handbook")
    with pytest.raises(NotKept):
        kept.conversed(OWNER, "conv_1", NOW)


def test_a_file_of_answers_goes_with_the_right_to_its_store(
    tmp_path: Path, readable: Readable
) -> None:
    files = FileStore(tmp_path / "files", FileSettings(), readable.may)
    answers = tmp_path / "answers"
    answers.write_text("9 per cent")
    record = files.record("file-1", 0, "output.jsonl", "batch_output", NOW, None)
    files.adopt(OWNER, answers, replace(record, stores=["handbook"]))
    assert files.get(OWNER, "file-1", now=NOW).bytes == 10
    readable.clear()
    with pytest.raises(NotFound, match="There is no file"):
        files.get(OWNER, "file-1", now=NOW)
    files.delete(OWNER, "file-1", now=NOW)
