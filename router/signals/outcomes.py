"""How agents' turns and sessions ended, as far as it shows, and what that says of their answers.

The next request of a session shows whether the calls of its last turn failed. When the user writes
again, or nobody goes on, the tool loop has ended, and its outcome teaches all its turns: tests pass
or fail after the edits, the user accepts or complains, the agent says that it did not manage. Where
nothing shows, there is no signal.

An outcome is a witness like a check: it counts for little until ratings of the same answers say how
far it can be believed (`learner/trust.py`). Its weight falls with the distance of a turn from the
end, and turns of other plans than the last share it: they are credited with half.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from router.domain import About, Signal, Trajectory, new_id
from router.request.harness import without_reminders
from router.request.text import texts_of

Outcome = Literal["success", "failure", "unknown"]

SOURCE = "outcome"
_FADES, _SHARED, _SPARED, _LEAST = 0.9, 0.5, 0.2, 0.02
_FAILS = 3  # failures in a row of which the last is worth nothing
_NEAR = 5  # turns; what an early turn is worth as a witness is compared with ratings on its own
LONGEST_CLOSING = 600  # characters of what an agent says last
_LOOKED_AT = 600
_ENDING_TOOLS = frozenset({"attempt_completion", "finish", "submit", "complete", "task_complete"})
_REJECTS = re.compile(
    r"\b(?:still (?:not|fail\w*|broken|wrong|the same|doesn't|don't|crash\w*|getting|see)|"
    r"(?:does|do|is|are|was|did|has|have|can|could|will|would)(?:n't|nt| not)\b|\bnot (?:any|what|"
    r"right|working|fixed|good)|wrong(?:ly)?|broken|breaks|revert|undo (?:that|it|this)|"
    r"forget it|never ?mind|same (?:error|problem|issue)|worse|useless|nope|"
    r"fail(?:s|ed|ing)?|crash(?:es|ed)?|again the|"
    r"no funciona|sigue (?:sin|fallando|igual)|mal|marche pas|fonctionne pas|toujours pas|"
    r"geht nicht|funktioniert nicht|immer noch|falsch|não funciona|ainda|non funziona|nie działa|"
    r"çal\u0131şm\u0131yor|не работает|werkt niet)\b|"
    r"还是|不行|不对|没用|失败|报错|動かない|だめ|안 (?:돼|됨)|안돼",
    re.I,
)
_ACCEPTS = re.compile(
    r"\b(?:thanks?|thank you|thx|ty|perfect(?:ly)?|great|awesome|excellent|amazing|nice|lovely|"
    r"works?(?: now| great| fine| well| like a charm)?|working now|fixed now|lgtm|"
    r"looks (?:good|great)|well done|good job|exactly what|that did it|cool\W|ship it|merge it|"
    r"gracias|perfecto|genial|funciona|merci|parfait|nickel|super|danke|perfekt|klasse|läuft|passt|"
    r"funktioniert|funcionou|valeu|obrigad[oa]|grazie|perfetto|funziona|dzięki|działa|teşekkür\w*|"
    r"çal\u0131ş\u0131yor|спасибо|отлично|работает|bedankt|werkt)\b|谢谢|好了|可以了|很好|完美|太好了|没问题了|"
    r"ありがと|完璧|動いた|감사|고마워|잘 (?:돼|되)",
    re.I,
)
_GIVES_UP = re.compile(
    r"\b(?:(?:could|can|was|were|am|is|are|did)(?:n't| not) (?:be )?(?:able|find|fix|get|solve|"
    r"resolve|complete|make|figure|access|finish|implement|manage)|unable to|cannot (?:be )?"
    r"(?:fix|solve|complete|access|get)\w{0,4}|\bcan't (?:get|fix|access|complete)|"
    r"still (?:fail\w*|broken|an? )|remains? (?:broken|failing)|unusable|"
    r"did not (?:succeed|manage)|gave up|giving up|no pude|n'ai pas (?:pu|réussi)|"
    r"konnte .{0,40}nicht|não consegui|"
    r"non sono riuscit[oa])\b|无法|没能|できません",
    re.I,
)
_UNSURE = re.compile(
    r"\b(?:believe|think|should|might|may|probably|not sure|hopefully|candidate|let me know|"
    r"could not reproduce|haven't|have not|untested|didn't run)\b|\?\W{0,3}$",
    re.I,
)
_SHOWN = re.compile(
    r"\b(?:works?|succeeds?|pass(?:es|ed)?|clean|green|builds?|converted|verified|confirmed|"
    r"compiles?|all (?:\w{1,12} ){0,3}(?:were|are|pass\w*)|is left|are left|now (?:returns|prints|"
    r"loads|shows))\b|通过|成功",
    re.I,
)


_OLDER = re.compile(
    r"\bpre-?existing\b|\bunrelated\b|\balready (?:fail|broken|red)\w{0,3}\b|"
    r"\bbefore (?:my|the|this) change|\b(?:also|same) .{0,30}\bon (?:main|master)\b",
    re.I,
)


class Ending(NamedTuple):
    """How the latest tool loop before the user wrote again ended."""

    closing: str  # what the agent said last
    reply: str  # what the user wrote then; empty: nothing yet
    turns: int  # of the loop


def ending_of(messages: Sequence[Mapping[str, Any]]) -> Ending:
    """The end of the latest tool loop in these messages, read from the last message back."""
    replies, at = list[str](), len(messages)
    while at:
        message = messages[at - 1]
        words = _own(message)
        if message.get("role") == "assistant" or (message.get("role") == "tool" and not words):
            break
        if words:
            replies.append(words)
        at -= 1
    closing, turns = "", 0
    for message in reversed(messages[:at]):
        if message.get("role") == "user" and _own(message):
            break
        if message.get("role") == "assistant":
            turns += 1
            if turns == 1:
                closing = "\n".join(texts_of(message)) or _told_by_call(message)
    return Ending(closing, "\n".join(reversed(replies)), turns)


def _own(message: Mapping[str, Any]) -> str:
    """What a user wrote in a message, or in the answer to a tool that ends a loop."""
    text = "\n".join(map(without_reminders, texts_of(message))).strip()
    if message.get("role") == "tool" and not "\n".join(texts_of(message)).lstrip().startswith(
        "<feedback>"
    ):
        return ""
    return text


def _told_by_call(message: Mapping[str, Any]) -> str:
    """What an agent says by a tool that ends its loop."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") in _ENDING_TOOLS:
            return str(function.get("arguments"))
    return ""


def session_outcome(trajectory: Trajectory, closing: str = "", reply: str = "") -> Outcome:
    """How a tool loop ended, by what happened in it, what the agent said last, and the reply."""
    reply, closing = reply[:_LOOKED_AT], closing[-_LOOKED_AT:]
    if reply and _REJECTS.search(reply):
        return "failure"
    if reply and _ACCEPTS.search(reply):
        return "success"
    if closing.rstrip().endswith("?"):
        return "unknown"  # the agent asks, so the loop has not ended
    if trajectory.tests == "passing" and not trajectory.edited_since_tests:
        return "success"
    if trajectory.tests == "failing" and _OLDER.search(closing):
        return "unknown"
    if trajectory.tests == "failing" and not trajectory.edited_since_tests:
        return "failure"
    if _GIVES_UP.search(closing) and "could not reproduce" not in closing.lower():
        return "failure"
    if trajectory.last_failed or trajectory.stuck:
        return "failure"
    sure = _SHOWN.search(closing) and not _UNSURE.search(closing)
    return "success" if sure and trajectory.checked else "unknown"


def turn_signals(
    turns: Sequence[About], trajectory: Trajectory, *, weight: float, now: float
) -> list[Signal]:
    """What a session's next request shows of its latest turn: whether the turn's calls failed.

    An agent reads an error and goes on, so one failure says little, and each further one in a row
    says more.
    """
    if not turns or trajectory.waits or trajectory.last_failed is None:
        return []
    again = min(max(trajectory.errors_in_row, trajectory.failing_in_row, 1), _FAILS)
    score = 1 - again / _FAILS if trajectory.last_failed else 1.0
    value = "failed" if trajectory.last_failed else "worked"
    return [_signal("turn", value, score, turns[-1], weight, now)]


def session_signals(
    turns: Sequence[About],
    outcome: Outcome,
    *,
    weight: float,
    now: float,
    failed: frozenset[str] = frozenset(),
) -> list[Signal]:
    """What a session's outcome says of its turns, which are given oldest first.

    A success is no success of the turns that `failed`: another turn made up for them. Where turns
    failed, the failure is theirs first, and the others are hardly blamed.
    """
    if outcome == "unknown":
        return []
    score = 1.0 if outcome == "success" else 0.0
    blamed = outcome == "failure" and any(turn.request_id in failed for turn in turns)
    signals = []
    for distance, turn in enumerate(reversed(turns)):
        share = _FADES**distance * (1.0 if turn.plan == turns[-1].plan else _SHARED)
        if blamed and turn.request_id not in failed:
            share *= _SPARED
        made_up_for = outcome == "success" and turn.request_id in failed
        if share < _LEAST or made_up_for:
            continue
        metric = "session" if distance < _NEAR else "session.early"
        signals.append(_signal(metric, outcome, score, turn, weight * share, now))
    return signals


def _signal(
    metric: str, value: str, score: float, about: About, weight: float, now: float
) -> Signal:
    return Signal(new_id(now), now, about, SOURCE, metric, value, score, round(weight, 4))
