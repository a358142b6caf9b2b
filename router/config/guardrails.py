"""Settings of guards: checks of the words of requests before a call, and of answers after it.

Guards run in the order of the list. Each kind has settings of its own below one name; a setting of
another kind is an error.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from router.config.values import Name, Seconds, Values
from router.records.regexes import BadPattern, checked

GuardKind = Literal["redact", "words", "schema", "classifier", "function"]
GuardAction = Literal["block", "redact", "mark"]
Personal = Literal["email", "phone", "card", "iban"]
Role = Literal["system", "developer", "user", "assistant", "tool"]

_ACTIONS: Mapping[GuardKind, tuple[GuardAction, ...]] = {  # the first is the default
    "redact": ("redact", "block", "mark"),
    "words": ("block", "redact", "mark"),
    "schema": ("block", "mark"),
    "classifier": ("block", "mark"),
    "function": ("block", "mark"),
}
# The settings of each kind beside those that every guard has.
_OWN: Mapping[GuardKind, frozenset[str]] = {
    "redact": frozenset({"find", "roles"}),
    "words": frozenset({"words", "regexes", "whole_words", "window", "roles"}),
    "schema": frozenset({"json_schema", "part"}),
    "classifier": frozenset({"ask", "question", "labels", "allow", "timeout_seconds", "roles"}),
    "function": frozenset({"source", "file", "timeout_ms", "roles"}),
}
_EVERY = frozenset({"name", "kind", "when", "action", "on_error", "keys"})


def _regex(pattern: str) -> str:
    try:
        checked(pattern)
    except BadPattern as bad:
        raise ValueError(str(bad)) from None
    return pattern


Regex = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_regex)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ -]{0,39}$")]


class Guard(Values):
    """One guard. `action` says what a hit does; `on_error` what becomes of a request that the guard
    could not check."""

    name: Name
    kind: GuardKind
    when: Literal["before", "after", "both"] = Field(
        "before", description="before: the request; after: the answer"
    )
    action: GuardAction | None = Field(None, description="default: redact for redact, else block")
    on_error: Literal["block", "mark"] = Field(
        "block", description="if the guard fails: refuse with 503, or let pass with a mark"
    )
    keys: tuple[str, ...] = Field((), description="ids of the keys that it guards; default: all")
    roles: tuple[Role, ...] = Field(
        (), description="the messages that it reads; default: everything that is sent"
    )
    find: tuple[Personal, ...] = Field(
        ("email", "phone", "card", "iban"),
        min_length=1,
        description="of redact: what is looked for",
    )
    words: tuple[Word, ...] = Field((), description="of words: forbidden words and phrases")
    regexes: tuple[Regex, ...] = Field((), description="of words: forbidden patterns")
    whole_words: bool = Field(True, description="of words: false: also inside of longer words")
    window: int = Field(
        256, ge=16, le=4096, description="of words: characters of a stream that are held back"
    )
    json_schema: dict[str, Any] | None = Field(
        None, alias="schema", description="of schema; default: the schema that the request asks for"
    )
    part: str = Field(
        "", max_length=200, description="of schema, before: what must fit, e.g. messages.-1.content"
    )
    ask: Name | None = Field(None, description="of classifier: the backend that classifies")
    question: str = Field("", max_length=4000, description="of classifier: what the labels mean")
    labels: tuple[Label, ...] = Field(
        ("safe", "unsafe"), min_length=2, description="of classifier: all answers it may give"
    )
    allow: tuple[Label, ...] = Field(
        ("safe",), min_length=1, description="of classifier: the labels that let the words pass"
    )
    timeout_seconds: Seconds = Field(10.0, description="of classifier")
    source: str | None = Field(None, max_length=20_000, description="of function: Python")
    file: str | None = Field(None, min_length=1, description="of function: a file of Python")
    timeout_ms: float = Field(20.0, gt=0, le=200, description="of function")

    @model_validator(mode="after")
    def _whole(self) -> "Guard":
        fields = type(self).model_fields
        given = {n for n in self.model_fields_set if getattr(self, n) != fields[n].default}
        foreign = sorted(given - _EVERY - _OWN[self.kind])
        if foreign:
            shown = "schema" if foreign[0] == "json_schema" else foreign[0]
            raise ValueError(f"a guard of kind {self.kind} takes no `{shown}`")
        if self.action is not None and self.action not in _ACTIONS[self.kind]:
            rule = ", ".join(_ACTIONS[self.kind])
            raise ValueError(f"the action of a guard of kind {self.kind} must be one of {rule}")
        problem = _problem(self)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def does(self) -> GuardAction:
        return _ACTIONS[self.kind][0] if self.action is None else self.action

    @property
    def before(self) -> bool:
        return self.when != "after"

    @property
    def after(self) -> bool:
        return self.when != "before"

    @property
    def holds_streams(self) -> bool:
        """Whether a stream waits for its end, since the guard reads whole answers."""
        return self.after and self.kind in ("schema", "classifier", "function")

    def guards(self, key_id: str) -> bool:
        return not self.keys or key_id in self.keys


def _problem(guard: Guard) -> str:
    """What is wrong with the settings of a guard together; empty if nothing is."""
    match guard.kind:
        case "words" if not guard.words and not guard.regexes:
            return "a guard of kind words needs `words` or `regexes`"
        case "classifier" if guard.ask is None:
            return "a guard of kind classifier needs `ask`, the backend that classifies"
        case "classifier" if not set(guard.allow) < set(guard.labels):
            return "`allow` must name some of `labels`, and not all of them"
        case "classifier" if len({label.casefold() for label in guard.labels}) < len(guard.labels):
            return "each of `labels` must differ from the others"
        case "function" if (guard.source is None) == (guard.file is None):
            return "a guard of kind function needs `source` or `file`, and not both"
        case "schema" if guard.before and not guard.part:
            return "a guard of kind schema that runs before a call needs `part`, e.g. metadata"
        case "schema" if guard.before and guard.json_schema is None:
            return "a guard of kind schema that runs before a call needs `schema`"
    return ""


def _different_names(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    names = [guard.name for guard in guards]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two guards have the name {name}: give each a name of its own")
    return guards


Guards = Annotated[
    tuple[Guard, ...],
    AfterValidator(_different_names),
    Field(description="checks of requests before a call and of answers after it, in this order"),
]
