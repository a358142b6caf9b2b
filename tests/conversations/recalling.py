"""Scripted models that remember exactly what they are sent, in OpenAI's and Anthropic's dialects.

A fact is a sentence such as `The code of Ada is 4711.`; `What is the code of Ada?` gets `4711`, or
`unknown`. Asked for a summary, the model gives back the facts alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.dialect_servers import events_of, message, named_event, refusal_of_form, text
from tests.upstream import Wire, completion, delta

_FACT = re.compile(r"The code of (\w+) is (\w+)\.")
_QUESTION = re.compile(r"What is the code of (\w+)\?")
SUMMARY_TASK = "You keep the memory of a conversation"


def words_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from words_in(part)
    elif isinstance(value, dict):
        yield from words_in(value.get("text"))
        yield from words_in(value.get("content"))


def messages_in(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request of chat or of Anthropic, or the items of one of Responses."""
    messages = fields.get("messages", fields.get("input"))
    return [{"role": "user", "content": messages}] if isinstance(messages, str) else messages


def reply_to(fields: dict[str, Any]) -> str:
    """What the model says to a request of either dialect."""
    system = " ".join(words_in(fields.get("system")))
    messages = messages_in(fields)
    words = "\n".join(words_in(messages))
    facts = dict(_FACT.findall(words))
    if SUMMARY_TASK in system + words:
        lines = [f"The code of {name} is {code}." for name, code in facts.items()]
        return "\n".join(lines) or "Nobody named a code."
    questions = _QUESTION.findall("\n".join(words_in(messages[-1])))
    if not questions:
        return "I will remember it."
    return ", ".join(facts.get(name, "unknown") for name in questions)


@dataclass
class RecallingModel:
    """A model server of either dialect; it keeps the requests that it got."""

    dialect: str = "openai"
    requests: list[dict[str, Any]] = field(default_factory=list)
    ends: bool = True  # whether its streams end

    async def __call__(self, wire: Wire) -> None:
        fields = wire.fields
        self.requests.append(fields)
        words = reply_to(fields)
        if self.dialect == "anthropic":
            await _as_anthropic(wire, fields, words)
        elif wire.path.endswith("/responses"):
            await _as_response(wire, fields, words, len(self.requests))
        elif not fields.get("stream"):
            await wire.json(completion(words))
        else:
            wire.events()
            for word in words.split(" "):
                await wire.event(delta(word + " "))
            if not self.ends:
                await wire.reader.read()
                return
            await wire.event(delta(finish="stop"))
            await wire.event(delta() | {"choices": [], "usage": completion()["usage"]})
            await wire.event(b"[DONE]")
            await wire.chunk(b"")

    @property
    def summaries(self) -> int:
        """How many of the requests asked for a summary."""
        return sum(SUMMARY_TASK in "\n".join(words_in(messages_in(r))) for r in self.requests)

    def texts(self, request: int = -1) -> list[tuple[str, str]]:
        """Role and text of each message of a request."""
        messages = messages_in(self.requests[request])
        return [(m["role"], "\n".join(words_in(m.get("content")))) for m in messages]


async def _as_anthropic(wire: Wire, fields: dict[str, Any], words: str) -> None:
    refusal = refusal_of_form(fields)
    if refusal:
        await wire.json({"type": "error", "error": {"message": refusal}}, 400)
        return
    answer = message(text(words))
    if not fields.get("stream"):
        await wire.json(answer)
        return
    wire.events()
    for event in events_of(answer):
        await named_event(wire, event)
    await wire.chunk(b"")


async def _as_response(wire: Wire, fields: dict[str, Any], words: str, number: int) -> None:
    """Answer as OpenAI's own Responses do, which keep nothing here."""
    unknown = fields.get("previous_response_id") or fields.get("conversation")
    if unknown or any("id" in item for item in messages_in(fields)):
        await wire.json({"error": {"message": f"{unknown} is not kept here", "code": None}}, 404)
        return
    part = {"type": "output_text", "text": words, "annotations": []}
    item = {"type": "message", "id": f"msg_up_{number}", "role": "assistant", "content": [part]}
    whole = {
        **{"id": f"resp_up_{number}", "object": "response", "created_at": 1, "model": "up-1"},
        **{"status": "completed", "output": [item | {"status": "completed"}], "store": True},
        **{"parallel_tool_calls": True, "tool_choice": "auto", "tools": []},
        "usage": {
            **{"input_tokens": 100, "output_tokens": 50, "total_tokens": 150},
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    if not fields.get("stream"):
        await wire.json(whole)
        return
    wire.events()
    begun = whole | {"output": [], "status": "in_progress", "usage": None}
    for number, (kind, response) in enumerate(
        [("response.created", begun), ("response.completed", whole)]
    ):
        await named_event(wire, {"type": kind, "sequence_number": number, "response": response})
    await wire.chunk(b"")
