"""The models of the demo's office: each is right with its own chance, and one writes programs.

They stand in for models that cost money; everything else of the demo is real. A model draws anew
for each request, so a question that is asked twice may get two answers.
"""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from router.demo.office import OfficeRequest
from router.demo.office_texts import FAMILIES
from router.domain import Call, Reply, Usage
from router.request.text import tokens_in
from router.wire.chat_replies import completion, in_one_piece, reply_base, usage_of

CHANCES = {"small": 0.80, "mid": 0.90, "large": 0.95}
LARGE = "large"
AUTHOR = "author"
_SKILL = 0.85  # share of the author's programs that are right
_ANSWER_TOKENS = 60


@dataclass
class Desk:
    """The request that is being answered, and every request so far by its text."""

    chance: random.Random
    request: OfficeRequest | None = None
    by_text: dict[str, OfficeRequest] = field(default_factory=dict)
    worse: dict[str, float] = field(default_factory=dict)  # chances that a provider changed

    def begin(self, request: OfficeRequest) -> None:
        self.request = self.by_text[request.text] = request


def usage_for(request: OfficeRequest) -> Usage:
    """The tokens of any model's answer to a request."""
    return Usage(tokens_in(request.text) + 20, _ANSWER_TOKENS)


@dataclass
class OfficeModel:
    name: str
    desk: Desk

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        request, desk = self.desk.request, self.desk
        assert request is not None
        right = desk.chance.random() < desk.worse.get(self.name, CHANCES[self.name])
        text = request.right if right else _mistaken(request.right)
        used = usage_for(request)
        yield _reply(call, self.name, text, used.input_tokens, used.output_tokens)

    async def close(self) -> None:
        pass


@dataclass
class OfficeAuthor:
    """Writes the program of the first request in the prompt; now and then its twin's by mistake."""

    desk: Desk

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        messages = orjson.loads(call.body)["messages"]
        text = self._program(messages[-1]["content"])
        prompt = sum(tokens_in(message["content"]) for message in messages)
        yield _reply(call, AUTHOR, text, prompt, tokens_in(text))

    async def close(self) -> None:
        pass

    def _program(self, prompt: str) -> str:
        first = orjson.loads(prompt.splitlines()[0])["request"]
        family = FAMILIES.get(self.desk.by_text[first].family)
        if family is None:
            return "not a computation: it asks for words"
        calculation = family.calculation
        if self.desk.chance.random() >= _SKILL:
            calculation = FAMILIES[family.twin].calculation if family.twin else "v[0]"
        return f"```python\n{family.program(calculation)}```"


def _mistaken(right: str) -> str:
    """A wrong answer that looks like a right one."""
    digits = [at for at, letter in enumerate(right) if letter.isdigit()]
    if not digits:
        return f"not {right}"
    at = digits[-1]
    return f"{right[:at]}{(int(right[at]) + 3) % 10}{right[at + 1 :]}"


def _reply(call: Call, name: str, text: str, tokens_read: int, tokens_written: int) -> Reply:
    usage: Mapping[str, int] = usage_of(tokens_read, tokens_written)
    body = completion(reply_base(call, name), text, "stop", usage)
    return Reply(200, "application/json", in_one_piece(body))
