"""Where a request stands in its conversation: what it follows, what it takes back. Pure.

A chat request carries its conversation, so its own messages show which answer it follows: the one
to the message of the user before its last. A request without earlier messages of the user follows
the last answer of its session. What harnesses add to messages is no message of the user.

Not covered: who changes the first message of a conversation that has no session of its own begins
another conversation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from router.domain import Fields, LastAnswer
from router.request.harness import without_reminders
from router.request.text import texts_of
from router.request.tool_calls import call_of, failed
from router.signals.next_step import hashed

_DIGEST = 8  # bytes
_MOST_RESULTS = 32  # results of tools that are read
Place = Literal["", "after", "instead", "again", "inside"]


@dataclass(frozen=True, slots=True)
class Turn:
    """The user's last message in a request, the one before, and what came after."""

    words: str
    hashes: bytes  # of the words
    earlier: bytes  # the digest of the user's message before; empty if there is none
    since: tuple[Mapping[str, Any], ...]  # the messages after the user's last

    @property
    def digest(self) -> bytes:
        return self.hashes[:_DIGEST]

    @property
    def last(self) -> bytes:
        """A digest of the last message; empty if it is the user's."""
        return _digest(self.since[-1]) if self.since else b""


def turn_of(fields: Fields) -> Turn:
    messages = fields.get("messages")
    listed = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    users = []
    for at in reversed(range(len(listed))):
        if listed[at].get("role") == "user":
            words = "\n".join(map(without_reminders, texts_of(listed[at])))
            if words.strip():
                users.append((at, words))
        if len(users) == 2:
            break
    if not users:
        return Turn("", hashed(""), b"", ())
    at, words = users[0]
    earlier = hashed(users[1][1])[:_DIGEST] if len(users) == 2 else b""
    return Turn(words, hashed(words), earlier, tuple(listed[at + 1 :]))


def place_of(turn: Turn, before: LastAnswer) -> Place:
    """What a request is to the answer before it: the user's next message, a message in place of the
    last, the same request again, a step inside the same turn; empty if it is none of these."""
    steps = len(turn.since)
    if turn.digest == before.words[:_DIGEST] and turn.earlier == before.earlier:
        if steps > before.steps:
            return "inside"
        return "again" if steps == before.steps and turn.last == before.last else ""
    if steps:
        return ""  # the answer that the user's last message followed was another one
    if turn.earlier:
        if turn.earlier == before.words[:_DIGEST]:
            return "after"
        return "instead" if turn.earlier == before.earlier else ""
    # A client that sends the last message alone: that the session is the same is all that is known.
    return "after" if before.earlier == b"" else ""


def tool_failed(turn: Turn, before: LastAnswer) -> bool:
    """Whether a tool that the answer before called has answered with an error."""
    since = turn.since[before.steps :]
    if not since or since[0].get("role") != "assistant":
        return False
    calls = {str(call.get("id")): _call(call) for call in _dicts(since[0].get("tool_calls"))}
    for message in since[1 : 1 + _MOST_RESULTS]:
        if message.get("role") not in ("tool", "function"):
            break
        name, arguments = calls.get(str(message.get("tool_call_id")), ("", ""))
        result = "\n".join(texts_of(message))
        if message.get("is_error") is True or failed(call_of(name, arguments), result):
            return True
    return False


def _call(call: Mapping[str, Any]) -> tuple[str, str]:
    function = call.get("function")
    if not isinstance(function, dict):
        return "", ""
    return str(function.get("name") or ""), str(function.get("arguments") or "")


def _digest(message: Mapping[str, Any]) -> bytes:
    parts = (message.get("role"), message.get("tool_call_id"), *texts_of(message))
    content = "\0".join(map(str, parts)).encode(errors="replace")
    return blake2b(content, digest_size=_DIGEST).digest()


def _dicts(values: Any) -> Sequence[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
