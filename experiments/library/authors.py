"""Scripted authors of programs, and worlds in which standards help, do nothing, or harm.

An author reads the prompt that the service would send it, and obeys each sentence of the standards
that stands there. Its programs are run, and a figure is right or wrong; nothing is declared.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from router.compute.prompts import to_write
from sandbox.review.traits import SENTENCES, traits

READ = SENTENCES["reads the request"][0]
COMMENT = SENTENCES["has comments"][0]
SHORT = SENTENCES["is short"][0]
_EASY = (
    "A bakery has {} ovens, each bakes {} loaves an hour for {} hours and {}% of them burn. "
    "How many good loaves come out?"
)
_HARD = _EASY.replace("How many", "A tenth of what is left is given away. How many")
_READS = (
    "import re\n"
    "ovens, loaves, hours, burnt = (int(n) for n in re.findall(r'\\d+', PARAMS['request']))"
)
_RESULT = (
    "result = {'answer': {'good_loaves': good}, 'parameters': {'ovens': ovens, 'loaves': loaves, "
    "'hours': hours, 'burnt': burnt}}"
)
_STEPS = "good = ovens * loaves * hours * (100 - burnt) / 100"
_CLAUSE = "good = good * 0.9"


@dataclass(frozen=True, slots=True)
class BakeryRequest:
    text: str
    numbers: tuple[int, int, int, int]
    hard: bool

    @property
    def truth(self) -> float:
        ovens, loaves, hours, burnt = self.numbers
        good = ovens * loaves * hours * (100 - burnt) / 100
        return 0.9 * good if self.hard else good


@dataclass(frozen=True, slots=True)
class AuthorWorld:
    """`writes` makes a program from a request, what the author is told, and its own chance."""

    name: str
    what: str
    writes: Callable[[BakeryRequest, str, random.Random], str]


def requested(chance: random.Random) -> BakeryRequest:
    numbers = (
        chance.randint(2, 9),
        chance.randint(11, 60),
        chance.randint(2, 12),
        chance.randint(13, 40),
    )
    hard = chance.random() < 0.4
    return BakeryRequest((_HARD if hard else _EASY).format(*numbers), numbers, hard)


def answered(world: AuthorWorld, request: BakeryRequest, standards: str, seed: int) -> str:
    """The program that the author writes on reading the service's own prompt."""
    return world.writes(request, _instructions(standards), random.Random(seed))


@lru_cache(maxsize=64)
def _instructions(standards: str) -> str:
    """What the service tells an author; the request itself stands in the message after it."""
    instructions: str = to_write("", None, standards=standards)[0]["content"]
    return instructions


def traits_of(source: str, request: BakeryRequest) -> tuple[str, ...]:
    """The traits of a program. They are those of any program that differs in numbers alone."""
    return _traits(re.sub(r"\d+", "12", source), request.hard)


@lru_cache(maxsize=256)
def _traits(source: str, hard: bool) -> tuple[str, ...]:
    return tuple(sorted(traits(source, (_HARD if hard else _EASY).format(3, 40, 7, 15))))


def is_right(source: str, request: BakeryRequest) -> bool:
    """Run a program of these authors. They are part of this experiment, so it needs no sandbox."""
    names: dict[str, Any] = {"PARAMS": {"request": request.text}}
    exec(compile(source, "program", "exec"), names)
    result: Mapping[str, Mapping[str, float]] = names["result"]
    return abs(result["answer"]["good_loaves"] - request.truth) < 1e-6


def reads_or_types(request: BakeryRequest, prompt: str, chance: random.Random) -> str:
    """Who types numbers mistypes one in two programs; who is told to read them reads them."""
    slips, reads, forgets = chance.random() < 0.5, chance.random() < 0.4, chance.random() < 0.05
    if READ in prompt or reads:
        begin = _READS
    else:
        ovens, loaves, hours, burnt = request.numbers
        begin = f"ovens, loaves, hours, burnt = {ovens}, {loaves + slips}, {hours}, {burnt}"
    return _program(begin, request, clause=request.hard and not forgets)


def comments(request: BakeryRequest, prompt: str, chance: random.Random) -> str:
    """Who finds a request easy explains the program, too; to explain it makes no program right."""
    explains = chance.random() < (0.2 if request.hard else 0.8)
    forgets = chance.random() < (0.6 if request.hard else 0.05)
    source = _program(_READS, request, clause=request.hard and not forgets)
    if not request.hard and forgets:
        source = source.replace(_STEPS, f"{_STEPS} + 1")
    if explains or COMMENT in prompt:
        return f"# loaves that come out, less those that burn\n{source}"
    return source


def shortens(request: BakeryRequest, prompt: str, chance: random.Random) -> str:
    """Easy requests have short programs, which succeed; who shortens a hard one leaves its clause
    out."""
    forgets, long = chance.random() < 0.3, request.hard and chance.random() < 0.9
    if not long or SHORT in prompt:
        keeps = request.hard and SHORT not in prompt
        return _program(_READS, request, clause=keeps and not forgets)
    steps = "\n".join(f"part_{n} = good / 24" for n in range(24))
    whole = _program(_READS, request, clause=not forgets)
    total = " + ".join(f"part_{n}" for n in range(24))
    return whole.replace(_RESULT, f"{steps}\ngood = {total}\n{_RESULT}")


def _program(begin: str, request: BakeryRequest, *, clause: bool) -> str:
    assert request.hard or not clause
    return "\n".join((begin, _STEPS, *((_CLAUSE,) if clause else ()), _RESULT, ""))


WORLDS = (
    AuthorWorld("helps", "who reads the numbers mistypes none", reads_or_types),
    AuthorWorld("idle", "who comments on a program had the easy request", comments),
    AuthorWorld("harms", "who keeps a program short leaves a clause out", shortens),
)


def sentences_in(text: str) -> list[str]:
    return re.findall(r"^- (.*)$", text, re.MULTILINE)
