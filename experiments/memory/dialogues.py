"""Dialogues that tell facts and ask for them later, and strangers who try to get at the facts.

All dialogues speak of the same people in the same words; the codes alone differ. So a code tells
whose words stand in a request or in an answer.
"""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from router.keys import Key
from tests.http_answer import HttpAnswer
from tests.rig import Rig

PEOPLE = (
    *("Ada", "Bob", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lea"),
    *("Max", "Nell", "Otto", "Pia"),
)
CODE = re.compile(r"\b\d{4}X\d{2}\b")
BACKENDS = ("small", "claude", "long")
_FILLER = "Then we spoke of the weather, the garden and the way home. "


@dataclass(frozen=True, slots=True)
class Script:
    """One dialogue: the facts of its turns, in order, and how it is remembered."""

    number: int
    key: Key
    secret: str
    codes: Mapping[str, str]
    by_conversation: bool
    fillers: Sequence[int]

    def says(self, turn: int) -> str:
        name = list(self.codes)[turn]
        return f"The code of {name} is {self.codes[name]}. " + _FILLER * self.fillers[turn]


def script(number: int, key: Key, secret: str, chance: random.Random) -> Script:
    turns = chance.randint(8, len(PEOPLE))
    codes = {name: f"{number:04d}X{turn:02d}" for turn, name in enumerate(PEOPLE[:turns])}
    fillers = [chance.randint(2, 16) for _ in range(turns)]
    return Script(number, key, secret, codes, chance.random() < 0.5, fillers)


@dataclass
class Tally:
    """What was counted over all dialogues."""

    counts: Counter[str] = field(default_factory=Counter)
    backends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def missed(self, what: str) -> None:
        self.wrong.append(what)


@dataclass
class Dialogue:
    """A dialogue in progress over several routers, each turn at the next router and backend."""

    script: Script
    routers: Sequence[Rig]
    tally: Tally
    chance: random.Random
    truncation: str = ""
    last_response: str = ""
    conversation: str = ""
    sent: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.script.secret}"}

    async def begin(self) -> None:
        if self.script.by_conversation:
            answer = await self.routers[0].post("/v1/conversations", {}, **self.headers)
            self.conversation = answer.json["id"]

    async def turn(self, text: str) -> HttpAnswer:
        backend = BACKENDS[self.sent % len(BACKENDS)]
        router = self.routers[self.sent % len(self.routers)]
        self.sent += 1
        streams = self.chance.random() < 0.3
        body: dict[str, Any] = {"model": backend, "input": text, "stream": streams}
        if self.conversation:
            body["conversation"] = self.conversation
        elif self.last_response:
            body["previous_response_id"] = self.last_response
        if self.truncation:
            body["truncation"] = self.truncation
        answer = await router.post("/v1/responses", body, **self.headers)
        self.tally.counts["turns"] += 1
        self.tally.counts["turns with a summary"] += "x-waggle-summary" in answer.headers
        self.tally.counts["turns with dropped items"] += "x-waggle-truncated" in answer.headers
        if answer.status == 200:
            self.last_response = response_in(answer)["id"]
        return answer

    async def tell(self) -> None:
        for turn in range(len(self.script.codes)):
            answer = await self.turn(self.script.says(turn))
            if answer.status != 200:
                self.tally.missed(f"dialogue {self.script.number}: {answer.body[:200]!r}")

    async def ask(self, times: int) -> None:
        """Ask for facts; the first fact, which is the first to be lost, is always among them."""
        names = list(self.script.codes)
        for name in [names[0], *self.chance.sample(names[1:], times - 1)]:
            backend = BACKENDS[self.sent % len(BACKENDS)]
            answer = await self.turn(f"What is the code of {name}?")
            self.tally.counts["facts asked for"] += 1
            right = answer.status == 200 and text_in(answer) == self.script.codes[name]
            self.tally.counts["facts that came back"] += right
            self.tally.backends[f"{backend} asked"] += 1
            self.tally.backends[f"{backend} right"] += right
            if not right:
                self.tally.missed(f"dialogue {self.script.number}: {name} at {backend}")


def response_in(answer: HttpAnswer) -> dict[str, Any]:
    """The response of an answer, whole or streamed."""
    if answer.body.startswith(b"{"):
        whole: dict[str, Any] = answer.json
        return whole
    lines = answer.body.decode().splitlines()
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    completed = HttpAnswer(200, {}, events[-1].encode()).json
    response: dict[str, Any] = completed["response"]
    return response


def text_in(answer: HttpAnswer) -> str:
    parts = (part for item in response_in(answer)["output"] for part in item.get("content", ()))
    return "".join(part.get("text", "") for part in parts).strip()


async def strangers(
    owner: Dialogue, stranger: Script, routers: Sequence[Rig], tally: Tally, chance: random.Random
) -> None:
    """What another key tries, knowing every id, or guessing it, or speaking the same words."""
    headers = {"authorization": f"Bearer {stranger.secret}"}
    router = chance.choice(routers)
    ids = [owner.last_response, *([owner.conversation] if owner.conversation else [])]
    for id_ in [*ids, *(guessed(id_, chance) for id_ in ids for _ in range(2))]:
        kind = "conversations" if id_.startswith("conv") else "responses"
        paths = ["", "/items"] if kind == "conversations" else ["", "/input_items"]
        for path in paths:
            answer = await router.get(f"/v1/{kind}/{id_}{path}", **headers)
            note(answer, stranger, tally)
        name = "conversation" if kind == "conversations" else "previous_response_id"
        question = f"What is the code of {PEOPLE[0]}?"
        body: dict[str, Any] = {"model": "long", "input": question, name: id_}
        note(await router.post("/v1/responses", body, **headers), stranger, tally)
        reference = [{"type": "item_reference", "id": id_}, {"role": "user", "content": question}]
        body = {"model": "long", "input": reference}
        note(await router.post("/v1/responses", body, **headers), stranger, tally)
    # The same words as the owner's first turns, but for the code; then the question.
    prefix = [{"role": "user", "content": CODE.sub("secret", owner.script.says(n))} for n in (0, 1)]
    words = [*prefix, {"role": "user", "content": f"What is the code of {PEOPLE[0]}?"}]
    body = {"model": "long", "input": words}
    note(await router.post("/v1/responses", body, **headers), stranger, tally)


def guessed(id_: str, chance: random.Random) -> str:
    at = chance.randrange(len(id_) - 8, len(id_))
    return id_[:at] + chance.choice("0123456789abcdef") + id_[at + 1 :]


def note(answer: HttpAnswer, stranger: Script, tally: Tally) -> None:
    """Count an attempt, and whether it brought a code of somebody else."""
    tally.counts["attempts"] += 1
    foreign = set(CODE.findall(answer.body.decode())) - set(stranger.codes.values())
    tally.counts["attempts that brought codes"] += bool(foreign)
    tally.counts["attempts answered 500"] += answer.status >= 500


def mixed(requests: Sequence[Mapping[str, Any]]) -> int:
    """How many requests at a backend held codes of two dialogues."""
    return sum(
        len({code[:4] for code in CODE.findall(str(request["messages"]))}) > 1
        for request in requests
    )
