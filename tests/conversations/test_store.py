"""What the store of conversations promises: nothing acknowledged is lost, nothing crosses owners,
and what is forgotten is gone from the disk."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from router.conversations.kept import (
    BrokenChain,
    KeptSummary,
    NewResponse,
    NotKept,
    Page,
    StoreFull,
)
from router.conversations.store import ConversationStore
from router.conversations.tables import FILE, UnreadableMemory

NOW = 1_000_000.0
DAY = 86_400.0
MB = 2**20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    store = opened(tmp_path)
    yield store
    store.close()


def opened(folder: Path, max_bytes: int = 64 * MB) -> ConversationStore:
    return ConversationStore(folder / "conversations", keep_seconds=30 * DAY, max_bytes=max_bytes)


def message(id_: str, text: str, role: str = "user") -> dict[str, object]:
    return {"type": "message", "id": id_, "role": role, "content": text}


def turn(id_: str, words: str, **more: str) -> NewResponse:
    """A response with one message in, and one out."""
    question, answer = (
        message(f"in_{id_}", words),
        message(f"out_{id_}", f"re {words}", "assistant"),
    )
    return NewResponse(id_, {"id": id_, "object": "response"}, [question], [answer], **more)


def chain(store: ConversationStore, owner: str, *ids: str, at: float = NOW) -> None:
    previous = thread = ""
    for id_ in ids:
        store.add_response(owner, turn(id_, f"words of {id_}", previous=previous), thread, at)
        previous, thread = id_, ids[0]


def words(items: object) -> list[str]:
    return [item["content"] for item in items]  # type: ignore[attr-defined]


def test_a_chain_gives_back_every_turn_in_order(store):
    chain(store, "k", "a", "b", "c")
    earlier = store.earlier("k", "b", NOW)
    assert earlier.thread == "a"
    assert words(earlier.items) == ["words of a", "re words of a", "words of b", "re words of b"]


def test_two_turns_may_go_on_with_the_same_response(store):
    chain(store, "k", "a")
    for id_ in ("left", "right"):
        store.add_response("k", turn(id_, id_, previous="a"), "a", NOW)
    assert words(store.earlier("k", "left", NOW).items)[2:] == ["left", "re left"]
    assert words(store.earlier("k", "right", NOW).items)[2:] == ["right", "re right"]


def test_a_response_comes_back_with_its_output_and_what_it_was_made_from(store):
    chain(store, "k", "a", "b")
    kept = store.response("k", "b", NOW)
    assert kept.response["object"] == "response"
    assert words(kept.response["output"]) == ["re words of b"]
    assert kept.previous == "a"
    assert words(store.input_items("k", "b", NOW)) == ["words of a", "re words of a", "words of b"]


@pytest.mark.parametrize("stranger", ["other", "", "k "])
def test_what_one_owner_keeps_no_other_owner_finds(store, stranger):
    chain(store, "k", "a")
    store.add_conversation("k", "conv", {}, [message("m", "secret")], NOW)
    look_ups = [
        lambda id_: store.response(stranger, id_, NOW),
        lambda id_: store.earlier(stranger, id_, NOW),
        lambda id_: store.input_items(stranger, id_, NOW),
        lambda id_: store.delete_response(stranger, id_, NOW),
        lambda id_: store.conversation(stranger, id_, NOW),
        lambda id_: store.conversed(stranger, id_, NOW),
        lambda id_: store.items(stranger, id_, Page(), NOW),
        lambda id_: store.item(stranger, id_, "m", NOW),
        lambda id_: store.add_items(stranger, id_, [message("n", "x")], NOW),
        lambda id_: store.rename_conversation(stranger, id_, {}, NOW),
        lambda id_: store.delete_item(stranger, id_, "m", NOW),
        lambda id_: store.delete_conversation(stranger, id_, NOW),
        lambda id_: store.referenced(stranger, id_, NOW),
    ]
    for look_up in look_ups:
        for id_ in ("a", "conv", "m", "never"):
            with pytest.raises(NotKept) as error:
                look_up(id_)
            assert str(error.value) in (id_, "m")
    assert words(store.earlier("k", "a", NOW).items) == ["words of a", "re words of a"]
    assert words(store.conversed("k", "conv", NOW).items) == ["secret"]
    assert store.summaries(stranger, "a") == {}


def test_two_owners_may_keep_the_same_id(store):
    chain(store, "k", "a")
    store.add_response("other", turn("a", "mine"), "", NOW)
    assert words(store.earlier("k", "a", NOW).items)[0] == "words of a"
    assert words(store.earlier("other", "a", NOW).items)[0] == "mine"


def test_a_chain_with_a_deleted_turn_says_so(store):
    chain(store, "k", "a", "b", "c")
    store.delete_response("k", "b", NOW)
    with pytest.raises(NotKept, match="b"):
        store.earlier("k", "b", NOW)
    with pytest.raises(BrokenChain) as error:
        store.earlier("k", "c", NOW)
    assert error.value.missing == "b"
    assert words(store.earlier("k", "a", NOW).items) == ["words of a", "re words of a"]


def test_a_conversation_gathers_what_its_responses_add(store):
    store.add_conversation("k", "conv", {"topic": "bees"}, [message("m", "hello")], NOW)
    store.add_response("k", turn("a", "first", conversation="conv"), "conv", NOW)
    store.add_response("k", turn("b", "second", conversation="conv"), "conv", NOW)
    assert words(store.conversed("k", "conv", NOW).items) == [
        "hello", "first", "re first", "second", "re second",
    ]  # fmt: skip
    # A response of a conversation can be gone on with: it saw the items before it, and no later.
    assert words(store.earlier("k", "a", NOW).items) == ["hello", "first", "re first"]
    store.delete_response("k", "a", NOW)
    assert len(store.conversed("k", "conv", NOW).items) == 5
    store.delete_conversation("k", "conv", NOW)
    with pytest.raises(NotKept):
        store.response("k", "b", NOW)


def test_a_response_that_is_not_kept_still_adds_to_its_conversation(store):
    store.add_conversation("k", "conv", {}, [], NOW)
    new = NewResponse("a", {}, [message("q", "hi")], [message("r", "ho")], conversation="conv")
    store.add_response("k", new, "conv", NOW)
    assert words(store.conversed("k", "conv", NOW).items) == ["hi", "ho"]
    with pytest.raises(NotKept):
        store.response("k", "a", NOW)


def test_items_are_listed_in_pages(store):
    store.add_conversation("k", "conv", {}, [message(f"m{n}", str(n)) for n in range(5)], NOW)
    first = store.items("k", "conv", Page(limit=2), NOW)
    assert (words(first.items), first.has_more) == (["4", "3"], True)
    second = store.items("k", "conv", Page(after="m3", limit=2), NOW)
    assert (words(second.items), second.has_more) == (["2", "1"], True)
    last = store.items("k", "conv", Page(after="m1", limit=2), NOW)
    assert (words(last.items), last.has_more) == (["0"], False)
    rising = store.items("k", "conv", Page(after="m0", limit=100, order="asc"), NOW)
    assert (words(rising.items), rising.has_more) == (["1", "2", "3", "4"], False)
    with pytest.raises(NotKept, match="m9"):
        store.items("k", "conv", Page(after="m9"), NOW)


def test_an_item_that_comes_twice_gets_a_new_id(store):
    store.add_conversation("k", "conv", {}, [message("m", "once")], NOW)
    (again,) = store.add_items("k", "conv", [message("m", "twice")], NOW)
    assert again["id"] != "m"
    assert store.item("k", "conv", str(again["id"]), NOW)["content"] == "twice"


def test_items_of_one_request_may_share_an_id(store):
    twins = [message("m", "one"), message("m", "two")]
    store.add_response("k", NewResponse("a", {"id": "a"}, twins, []), "", NOW)
    first, second = store.earlier("k", "a", NOW).items
    assert (first["content"], second["content"]) == ("one", "two")
    assert first["id"] == "m" != second["id"]


def test_a_thread_expires_with_all_its_turns_after_its_last_turn(store):
    chain(store, "k", "a", "b")
    store.add_response("k", turn("c", "late", previous="b"), "a", NOW + 29 * DAY)
    assert len(store.earlier("k", "c", NOW + 58 * DAY).items) == 6
    late = NOW + 60 * DAY
    with pytest.raises(NotKept):
        store.earlier("k", "c", late)
    assert store.sweep(late) == 1
    assert store.threads() == []


def test_a_summary_is_kept_until_something_of_its_thread_is_deleted(store):
    chain(store, "k", "a", "b")
    earlier = store.earlier("k", "b", NOW)
    summary = KeptSummary(b"digest", 2, "a summary", "long")
    assert store.add_summary("k", earlier, summary, NOW)
    assert store.summaries("k", "a") == {b"digest": summary}
    store.delete_response("k", "b", NOW)
    assert store.summaries("k", "a") == {}
    assert not store.add_summary("k", earlier, summary, NOW)  # it was made from deleted words
    assert store.summaries("k", "a") == {}


def test_a_full_store_takes_room_from_whoever_keeps_the_most(tmp_path):
    store = opened(tmp_path, max_bytes=MB)
    try:
        chain(store, "small", "mine", at=NOW - DAY)
        for n in range(30):
            store.add_response("large", turn(f"r{n}", "x" * 40_000), "", NOW + n)
        assert words(store.earlier("small", "mine", NOW).items)[0] == "words of mine"
        assert len(store.earlier("large", "r29", NOW + 30).items) == 2
        with pytest.raises(NotKept):
            store.response("large", "r0", NOW)
        assert sum(path.stat().st_size for path in (tmp_path / "conversations").iterdir()) < 4 * MB
        with pytest.raises(StoreFull, match="huge"):
            store.add_response("large", turn("huge", "x" * MB), "", NOW)
        assert len(store.earlier("large", "r29", NOW + 30).items) == 2  # nothing was pushed out
    finally:
        store.close()


def test_file_and_folder_are_their_owners_alone(store, tmp_path):
    chain(store, "k", "a")
    folder = tmp_path / "conversations"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_nothing_is_opened_before_the_first_use(tmp_path):
    store = opened(tmp_path)
    assert not store.exists
    assert list(tmp_path.iterdir()) == []
    store.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


SECRET = "the-word-that-must-go"


def forget_response(store: ConversationStore) -> None:
    store.delete_response("k", "a", NOW)


def forget_conversation(store: ConversationStore) -> None:
    store.delete_conversation("k", "conv", NOW)


def forget_item(store: ConversationStore) -> None:
    store.delete_item("k", "conv", "m", NOW)


def forget_owner(store: ConversationStore) -> None:
    assert store.forget(owner="k") == 2


def forget_by_id(store: ConversationStore) -> None:
    assert store.forget(ids=["b", "conv"]) == 2  # `b` is a later turn of the chain


def forget_old(store: ConversationStore) -> None:
    assert store.forget(before=NOW + 1) == 2


def let_expire(store: ConversationStore) -> None:
    assert store.sweep(NOW + 31 * DAY) == 2


@pytest.mark.parametrize(
    ("where", "forget"),
    [
        ("response", forget_response),
        ("response", forget_owner),
        ("response", forget_by_id),
        ("response", let_expire),
        ("conversation", forget_conversation),
        ("conversation", forget_item),
        ("conversation", forget_owner),
        ("conversation", forget_old),
        ("summary", forget_response),
        ("summary", forget_by_id),
    ],
)
def test_forgotten_words_are_gone_from_the_disk(store, tmp_path, where, forget):
    secret = f"{SECRET} " * 2_000  # some of it lies on pages of overflow
    store.add_response("k", turn("a", secret if where == "response" else "plain"), "", NOW)
    store.add_response("k", turn("b", "plain", previous="a"), "a", NOW)
    item = message("m", secret if where == "conversation" else "plain")
    store.add_conversation("k", "conv", {}, [item], NOW)
    if where == "summary":
        summary = KeptSummary(b"d", 2, secret, "long")
        assert store.add_summary("k", store.earlier("k", "b", NOW), summary, NOW)
    folder = tmp_path / "conversations"
    assert SECRET.encode() in on_disk(folder)
    forget(store)
    assert SECRET.encode() not in on_disk(folder)
    assert store.damage() == []


def test_without_a_condition_nothing_is_forgotten(store):
    chain(store, "k", "a")
    assert store.forget() == 0
    assert store.earlier("k", "a", NOW).items


def test_many_writers_in_several_processes_lose_nothing(tmp_path):
    """Two stores on one file stand for two processes; each is used by four threads."""
    stores = [opened(tmp_path), opened(tmp_path)]
    stores[0].add_conversation("k", "conv", {}, [], NOW)

    def write(n: int) -> None:
        stores[n % 2].add_response("k", turn(f"r{n}", f"{n}", conversation="conv"), "conv", NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    items = words(stores[1].conversed("k", "conv", NOW).items)
    assert sorted(items[::2], key=int) == [str(n) for n in range(80)]
    assert items[1::2] == [f"re {n}" for n in items[::2]]  # no turn is torn by another
    for store in stores:
        store.close()


WRITER = """
import sys
from pathlib import Path
from router.conversations.kept import NewResponse
from router.conversations.store import ConversationStore
store = ConversationStore(Path(sys.argv[1]), keep_seconds=1e9, max_bytes=2**30)
previous = thread = ""
for n in range(100_000):
    item = {"type": "message", "id": f"m{n}", "role": "user", "content": f"{n} " * 500}
    new = NewResponse(f"r{n}", {"id": f"r{n}"}, [item], [], previous=previous)
    store.add_response("k", new, thread, 1.0)
    previous, thread = f"r{n}", "r0"
    print(n, flush=True)
"""


def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path):
    folder = tmp_path / "conversations"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = -1
    with writer.stdout as lines:
        for line in lines:
            acknowledged = int(line)
            if acknowledged == 60:
                os.kill(writer.pid, signal.SIGKILL)  # it is writing the next ones meanwhile
    assert writer.wait() == -signal.SIGKILL
    assert acknowledged >= 60
    store = opened(tmp_path)
    try:
        items = store.earlier("k", f"r{acknowledged}", 1.0).items
        assert [item["content"] for item in items] == [
            f"{n} " * 500 for n in range(acknowledged + 1)
        ]
        assert store.damage() == []
        store.add_response("k", turn("after", "it goes on"), "", 1.0)
    finally:
        store.close()


def test_a_damaged_file_names_itself_and_the_mend(tmp_path):
    folder = tmp_path / "conversations"
    folder.mkdir()
    (folder / FILE).write_bytes(b"this is no database" * 400)
    store = opened(tmp_path)
    with pytest.raises(UnreadableMemory, match="move it away"):
        chain(store, "k", "a")
    store.close()
