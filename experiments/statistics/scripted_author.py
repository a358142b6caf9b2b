"""A scripted author of programs, right in 85% of its programs, behind a whole router.

Each blind case brings right and wrong programs. The author draws whether a program is right, each
on its own, and then one that it has not given for this case yet. Asked to mend a program, it gives
the same one again. It has no programs for requests that are nothing to compute, and says so.
"""

import random
from collections.abc import Sequence
from typing import Any

import yaml

from experiments.statistics.grading import Graded, Reply, grade
from tests.rig import rig
from tests.upstream import Upstream, Wire, completion

RIGHT_SHARE = 0.85
_MENDS = ("That failed:", "The parameters do not show")
_CONFIG = """
backends:
  generator: {kind: generator}
  sandbox: {kind: sandbox, min_level: 1}
  coder: {kind: openai, base_url: URL}
plans:
  compute: {code: sandbox, authors: [coder], words: generator}
"""


class _Case:
    """One case, and the programs that the author has not given yet."""

    def __init__(self, case: dict[str, Any], draw: random.Random) -> None:
        self._programs = {
            right: [p["source"] for p in case.get("programs", ()) if p["right"] is right]
            for right in (True, False)
        }
        self._draw = draw
        self._given: dict[bool, list[str]] = {True: [], False: []}
        self._last = "not a computation"

    def answer(self, last_message: str) -> str:
        if last_message.startswith(_MENDS) or not any(self._programs.values()):
            return self._last
        right = self._draw.random() < RIGHT_SHARE
        programs = self._programs[right] or self._programs[not right]
        left = [p for p in programs if p not in self._given[right]] or programs
        source = self._draw.choice(left)
        self._given[right].append(source)
        self._last = f"```python\n{source}\n```"
        return self._last


class ScriptedAuthor(Upstream):
    """A model server that answers each prompt with a program of the case it asks about."""

    def __init__(self, cases: Sequence[dict[str, Any]], *, seed: int) -> None:
        draw = random.Random(seed)
        by_request = {case["request"]: _Case(case, draw) for case in cases}

        async def script(wire: Wire) -> None:
            messages = wire.fields["messages"]
            prompt = messages[1]["content"].partition("The request:\n")[2]
            matching = [text for text in by_request if prompt.startswith(text)]
            case = by_request[max(matching, key=len)]
            await wire.json(completion(case.answer(messages[-1]["content"])))

        super().__init__(script)


async def answers_by_author(cases: Sequence[dict[str, Any]], *, seed: int) -> list[Graded]:
    """Ask a router with the scripted author each request, and grade its answers."""
    graded = []
    async with ScriptedAuthor(cases, seed=seed).listening() as author:
        config = yaml.safe_load(_CONFIG.replace("URL", author.url))
        async with rig(yaml.safe_dump(config)) as waggle:
            for case in cases:
                data = {"data": case["data"]} if case.get("data") is not None else {}
                answer = await waggle.chat(case["request"], **data)
                graded.append(_graded(case, answer))
    return graded


def _graded(case: dict[str, Any], answer: Any) -> Graded:
    if answer.status != 200:
        reply = Reply(None, reason=answer.error["message"])
    else:
        verified = answer.headers.get("x-waggle-verified", "unverified")
        text = answer.json["choices"][0]["message"]["content"]
        reply = Reply(text, verified.partition(";")[0], verified)
    return Graded(case, reply, grade(case["expect"], reply.answer))
