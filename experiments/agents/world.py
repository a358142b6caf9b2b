"""A scripted world of coding sessions whose difficulty is known, as chat messages an agent sends.

A session has steps. A step is easy, hard or very hard, and takes some looking around and then edits
with a test run, until the tests of the step pass. A weak model solves easy steps and gets stuck on
others, which shows in the messages alone: tests fail again, an edit does not find its place, a call
is repeated. The user gives up after `PATIENCE` failed tries of one step.

What a turn brings is drawn by session, step and try, not by who is asked: every way of playing the
world meets the same luck.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Level = Literal["easy", "hard", "very hard"]
Messages = list[dict[str, Any]]

LEVELS: tuple[Level, ...] = ("easy", "hard", "very hard")
SHARES = (0.72, 0.2, 0.08)
# The chance that one try of a step works.
WEAK = {"easy": 0.9, "hard": 0.08, "very hard": 0.0}
STRONG = {"easy": 0.95, "hard": 0.75, "very hard": 0.35}
PATIENCE = 10
_RULES = 28_000  # characters: a harness's rules and its tools
_FILE = (3_000, 14_000)
_LOG = (600, 3_000)
_ANSWER = (120, 500)  # tokens
_SECONDS = (8.0, 45.0)
_AWAY, _AWAY_SECONDS = 0.04, 600.0  # of turns before which the user is away, and a cache is lost
_TESTS = ("pytest -q", "npm test", "cargo test", "go test ./...")
_VERBS = ("Fix", "Add", "Implement", "Refactor", "Rewrite", "Speed up", "Port", "Extend")
_THINGS = ("login", "cart", "parser", "cache", "importer", "scheduler", "invoice", "search index")
_WORDS = ("value", "index", "result", "config", "handler", "session", "buffer", "token", "state",
          "module", "request", "path")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    level: Level
    looks: int  # turns that only read


@dataclass(frozen=True, slots=True)
class Task:
    number: int
    ask: str
    steps: tuple[Step, ...]
    tests: str
    thanks: bool  # whether the user says what came of it


def tasks(count: int, seed: int) -> Iterator[Task]:
    for number in range(count):
        chance = np.random.default_rng((seed, number))
        steps = tuple(
            Step(LEVELS[int(chance.choice(3, p=SHARES))], int(chance.integers(1, 4)))
            for _ in range(int(chance.integers(2, 6)))
        )
        verb, thing = (str(chance.choice(words)) for words in (_VERBS, _THINGS))
        ask = f"{verb} the {thing} of service {number}, and keep the tests green."
        tests = str(chance.choice(_TESTS))
        yield Task(number, ask, steps, tests, bool(chance.random() < 0.3))


def _prose(chance: np.random.Generator, size: int) -> str:
    """Lines that look like code, of about this many characters."""
    words = chance.choice(_WORDS, size // 7)
    lines = [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
    return "\n".join(lines)[:size]


RULES = "You are Claude Code, Anthropic's official CLI for Claude.\n" + _prose(
    np.random.default_rng(0), _RULES
)


@dataclass
class Play:
    """One session under way: its messages, and where it stands."""

    task: Task
    seed: int
    messages: Messages = field(default_factory=list)
    step: int = 0
    looked: int = 0
    tries: int = 0
    turns: int = 0
    over: Literal["", "solved", "given up"] = ""
    replied: bool = False
    closed: bool = False  # nobody goes on

    def __post_init__(self) -> None:
        self.messages = [
            {"role": "system", "content": RULES},
            {"role": "user", "content": self.task.ask},
        ]

    @property
    def level(self) -> Level:
        return self.task.steps[min(self.step, len(self.task.steps) - 1)].level

    def _chance(self) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.task.number, self.step, self.looked,
                                      self.tries, len(self.over)))  # fmt: skip

    def pause(self) -> float:
        """Seconds until the next request."""
        chance = self._chance()
        away = _AWAY_SECONDS if chance.random() < _AWAY else 0.0
        return float(chance.uniform(*_SECONDS)) + away

    def answer(self, *, strong: bool) -> int:
        """Take the answer of a model, and what its calls bring; return the answer's tokens."""
        chance = self._chance()
        self.turns += 1
        tokens = int(chance.integers(*_ANSWER))
        if self.over:
            self._close()
            return tokens
        step = self.task.steps[self.step]
        if self.looked < step.looks:
            self.looked += 1
            path = f"src/{chance.choice(_WORDS)}_{self.looked}.py"
            self._call(("Read", {"file_path": path}, _prose(chance, int(chance.integers(*_FILE)))))
            return tokens
        works = chance.random() < (STRONG if strong else WEAK)[step.level]
        self._try(chance, works=bool(works))
        if self.tries >= PATIENCE:
            self._reply()
        return tokens

    def _try(self, chance: np.random.Generator, *, works: bool) -> None:
        log, way = _prose(chance, int(chance.integers(*_LOG))), chance.random()
        edit = {"file_path": f"src/{chance.choice(_WORDS)}.py", "old_string": f"v{self.turns}"}
        tests = {"command": self.task.tests}
        if works:
            green = f"{log}\n{12 + self.step} passed in 0.8s"
            self._call(("Edit", edit, "The file has been updated."), ("Bash", tests, green))
            self.step, self.looked, self.tries = self.step + 1, 0, 0
            self.over = "solved" if self.step == len(self.task.steps) else ""
            return
        self.tries += 1
        if way < 0.65:
            red = f"{log}\n1 failed, {11 + self.step} passed in 0.8s"
            self._call(("Edit", edit, "The file has been updated."), ("Bash", tests, red))
        elif way < 0.85:
            missed = "<tool_use_error>String to replace not found in file.</tool_use_error>"
            self._call(("Edit", edit, missed))
        else:
            again = {"command": f"python -m {self.task.steps[self.step].level.split()[0]}.check"}
            self._call(("Bash", again, f"Exit code 1\n{log[:400]}\nValueError: no such state"))
        self.over = "given up" if self.tries >= PATIENCE else ""

    def _call(self, *calls: tuple[str, dict[str, str], str]) -> None:
        ids = [f"call_{self.turns}_{n}" for n in range(len(calls))]
        self.messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": id_,
                        "type": "function",
                        "function": {"name": name, "arguments": json.dumps(arguments)},
                    }
                    for id_, (name, arguments, _) in zip(ids, calls, strict=True)
                ],
            }
        )
        for id_, (_, _, result) in zip(ids, calls, strict=True):
            self.messages.append({"role": "tool", "tool_call_id": id_, "content": result})

    def _close(self) -> None:
        """The agent has said its last words."""
        self.messages.append({"role": "assistant", "content": "I have done what I could."})
        if self.replied:
            self.closed = True
        else:
            self._reply()

    def _reply(self) -> None:
        """Some users say what they think of it, and the others just leave."""
        if self.task.thanks:
            words = "It works, thanks!" if self.over == "solved" else "It still fails, forget it."
            self.messages.append({"role": "user", "content": words})
            self.replied = True
        else:
            self.closed = True
