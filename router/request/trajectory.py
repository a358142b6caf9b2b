"""What has happened in an agent's session, read from the messages of its latest request. Pure.

A chat request carries its whole session, so nothing is remembered between requests. Every message
is looked at once. Of results and arguments only the beginning and the end are read, so the time
grows with the number of messages and hardly with their length.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.domain import Fields, Trajectory
from router.request.agent_kinds import aside_of, is_agents, work_of
from router.request.harness import without_reminders
from router.request.text import texts_of
from router.request.tool_calls import Call, Sort, Tests, call_of, failed, tests_in

_SHOWN = 4_000  # characters at each end of a result that are read


@dataclass(frozen=True, slots=True)
class Session:
    """The users' own words in a request, and the trajectory if an agent sent it."""

    last_words: str
    words: str | None  # None: the features are made of the whole text
    trajectory: Trajectory | None


def session_of(fields: Fields, raw_last_words: str, tokens: int) -> Session:
    messages = fields.get("messages")
    messages = messages if isinstance(messages, list) else []
    events, users, reminded = _Events(), list[str](), False
    for message in messages:
        if not isinstance(message, dict):
            continue
        role = message.get("role")
        if role == "user":
            texts = texts_of(message)
            own = [without_reminders(text) for text in texts]
            reminded = reminded or own != texts
            words = "\n".join(text for text in own if text.strip())
            if words:
                users.append(words)
                events.user_wrote()
        elif role == "assistant":
            events.answered(message)
        elif role in ("tool", "function"):
            events.result(message)
    system, last_words = _system(messages), users[-1] if users else ""
    kind = "" if events.sorts else aside_of(system, raw_last_words)
    if not (kind or events.calls or reminded or is_agents(fields, system)):
        return Session(raw_last_words, None, None)
    kind = kind or work_of(system, raw_last_words, last_words, events.sorts)
    return Session(last_words, "\n".join(users), events.trajectory(kind, tokens))


def _system(messages: Iterable[Any]) -> str:
    """The first rules of a request, by whoever made the client."""
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ("system", "developer"):
            return ""
        texts = texts_of(message)
        if texts:
            return texts[0]
    return ""


@dataclass
class _Events:
    """What the messages show, in their order."""

    turns: int = 0
    calls: int = 0
    errors: int = 0
    errors_in_row: int = 0
    edits: int = 0
    tests: Tests = ""
    failing_in_row: int = 0
    edited_since_tests: bool = False
    checked: bool = False
    waits: bool = False
    loop: int = 0
    sorts: list[Sort] = field(default_factory=list)  # of the calls since the user wrote
    same: int = 0  # how often the latest call was made in a row
    _latest: tuple[str, str] | None = None
    _pending: dict[str, Call] = field(default_factory=dict)
    _turn: list[bool] = field(default_factory=list)  # whether each call of the turn failed

    def user_wrote(self) -> None:
        self.waits = True
        self.sorts = []
        self.loop = 0

    def answered(self, message: Mapping[str, Any]) -> None:
        self.turns += 1
        self.loop += 1
        self.waits = False
        self._turn = []
        self._pending = {}
        for call_id, name, arguments in _calls_in(message):
            call, key = call_of(name, arguments), (name, _canonical(arguments))
            self.calls += 1
            self.sorts.append(call.sort)
            self._pending[call_id] = call
            self.same = self.same + 1 if key == self._latest else 1
            self._latest = key

    def result(self, message: Mapping[str, Any]) -> None:
        call_id = message.get("tool_call_id", message.get("name"))
        call = self._pending.get(str(call_id), _UNKNOWN)
        text = "\n".join(texts_of(message))
        if len(text) > 2 * _SHOWN:
            text = f"{text[:_SHOWN]}\n{text[-_SHOWN:]}"
        elif text[:1] == "{":
            text = _spoken(text)
        error = bool(message.get("is_error")) or failed(call, text)
        tests = tests_in(call, text)
        self.waits = False
        self._turn.append(error or tests == "failing")
        self.errors += error
        self.errors_in_row = self.errors_in_row + 1 if error else 0
        if call.sort == "edit" and not error:
            self.edits += 1
            self.edited_since_tests = True
            self.checked = False
        elif call.shell and not error:
            self.checked = True
        if tests:
            self._tested(tests)

    def _tested(self, tests: Tests) -> None:
        self.tests = tests
        self.failing_in_row = self.failing_in_row + 1 if tests == "failing" else 0
        self.edited_since_tests = False

    def trajectory(self, kind: str, tokens: int) -> Trajectory:
        return Trajectory(
            agent=kind,
            turns=self.turns,
            calls=self.calls,
            errors=self.errors,
            errors_in_row=self.errors_in_row,
            repeats=max(self.same - 1, 0),
            edits=self.edits,
            tests=self.tests,
            failing_in_row=self.failing_in_row,
            edited_since_tests=self.edited_since_tests,
            checked=self.checked,
            waits=self.waits,
            loop=self.loop,
            last_failed=any(self._turn) if self._turn else None,
            tokens=tokens,
        )


def _spoken(text: str) -> str:
    """A command's output and exit code, if a harness wrapped them into JSON."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    output = value.get("output") if isinstance(value, dict) else None
    if not isinstance(output, str):
        return text
    metadata = value.get("metadata")
    owner = metadata if isinstance(metadata, dict) else value
    code = owner.get("exit_code", owner.get("exitCode"))
    return output if code is None else f"{output}\nexit code: {code!s:.9}"


_UNKNOWN = Call("other")
_LONG = 2_000  # characters of arguments that are compared as they are written


def _canonical(arguments: str) -> str:
    """The same for the same arguments, however they are ordered."""
    if len(arguments) > _LONG:
        return arguments
    try:
        return orjson.dumps(orjson.loads(arguments), option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONDecodeError:
        return arguments


def _calls_in(message: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """The id, the tool and the arguments of each call in an answer."""
    calls = message.get("tool_calls")
    written_calls = []
    for call in calls if isinstance(calls, list) else ():
        owner = call.get("function", call.get("custom")) if isinstance(call, dict) else None
        if isinstance(owner, dict):
            arguments = owner.get("arguments", owner.get("input"))
            written_calls.append((str(call.get("id")), str(owner.get("name")), str(arguments)))
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        name = str(legacy.get("name"))
        written_calls.append((name, name, str(legacy.get("arguments"))))
    return written_calls
