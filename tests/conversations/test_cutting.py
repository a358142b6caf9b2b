"""Where a conversation may be cut: laws that hold for every conversation."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router.conversations.cutting import cut_for, cuts, digests, tokens_of


def user(words: int = 10) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": "word" * words}


def assistant(words: int = 10) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": "word" * words}


def call(id_: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "f", "arguments": "{}"}


def output(id_: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id_, "output": "word" * 10}


REASONING = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns with calls side by side, whose outputs come in any order, also after other items."""
    items: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(1, 8))):
        items.append(user(draw(st.integers(1, 50))))
        ids = [f"{turn}.{n}" for n in range(draw(st.integers(0, 3)))]
        if draw(st.booleans()):
            items.append(REASONING)
        items += [call(id_) for id_ in ids]
        items += draw(st.permutations([*map(output, ids), assistant()]))
    return items


@given(conversations(), st.integers(0, 400))
def test_no_cut_tears_a_call_from_its_output_or_reasoning_from_what_follows(items, room):
    cut = cut_for(items, len(items), room)
    if cut is None:
        return
    before, after = items[:cut], items[cut:]
    for part, other in ((before, after), (after, before)):
        calls = {item["call_id"] for item in part if item["type"] == "function_call"}
        outputs = {item["call_id"] for item in other if item["type"] == "function_call_output"}
        assert not calls & outputs
    assert before[-1] is not REASONING
    assert sum(map(tokens_of, after)) <= room


@given(conversations(), st.integers(0, 400), st.integers(0, 20))
def test_a_cut_is_the_shortest_that_does(items, room, least):
    cut = cut_for(items, len(items), room, least=least)
    places = [at for at in cuts(items, len(items)) if at > least]
    enough = [at for at in places if sum(map(tokens_of, items[at:])) <= room]
    between = [at for at in enough if at == len(items) or items[at].get("role") == "user"]
    assert cut == min(between or enough, default=None)


def test_what_was_just_sent_is_never_cut():
    items = [user(), assistant(), call("a"), output("a")]
    assert cuts(items, 3) == [2, 1]  # the output was just sent, so its call stays too
    assert cut_for([user(4_000)], 0, room=10) is None


def test_words_alone_count_and_pictures_do_not():
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 10_000}
    assert tokens_of({"type": "message", "role": "user", "content": [picture]}) < 5
    assert tokens_of({"type": "function_call", "arguments": "x" * 400, "call_id": "c"}) >= 100


@given(conversations(), st.data())
def test_a_digest_tells_beginnings_apart(items, data):
    each = digests("key", items)
    assert len(each) == len(items) + 1
    assert digests("other", items)[0] != each[0]  # also by owner
    at = data.draw(st.integers(0, len(items) - 1))
    changed = [*items[:at], {**items[at], "new": True}, *items[at + 1 :]]
    others = digests("key", changed)
    assert others[: at + 1] == each[: at + 1]
    assert all(a != b for a, b in zip(others[at + 1 :], each[at + 1 :], strict=True))
