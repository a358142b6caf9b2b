"""The question for a written validator, classifier or matcher, and the gates of the answer.

An answer is code with cases. It passes lint, its cases in the sandbox, and then judged answers that
the question said nothing about: what it would have done with them must bring something.
"""

import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from learner.preference import Preference
from router.config.config import Config
from router.routing.function_contract import NUMBERS, WORDS, MachineTrouble, Unanswered
from router.routing.node_contract import (
    ENTRIES,
    MATCHES,
    NODE_ARGUMENTS,
    REFUSES,
    NodeKind,
    said_by,
)
from router.routing.nodes import Node
from router.trials.book import Book, Line, Rejected
from router.trials.evidence import KEPT_OUT
from router.trials.gates import LoadedNode, Postponed
from router.trials.logged import utility_of
from router.trials.node_evidence import WordedAnswer
from router.trials.node_gates import check_node, checked_cases
from router.trials.node_openings import GOOD, NodeOpening

LEAST_CASES = 4
_CAUGHT = 0.2  # the least share of wrong answers that a validator must refuse
_REFUSED_GOOD = 0.05  # the most of good answers
_LEAST_NAMED = 8  # requests that a classifier or a matcher must name, of those it is tried on
_TRIES = 3  # for one opening, until there is new evidence
_LATEST = 4  # earlier ends that the question shows
_RETURNS: Mapping[NodeKind, str] = {
    "validator": "True if the answer may go out; else the problem, a text; None: no opinion",
    "classifier": "a short kind, a text that stands in the code; None for no opinion",
    "matcher": "True if the request belongs to the group, else False; None: no opinion",
}
_EXPECTS: Mapping[NodeKind, str] = {
    "validator": '{"request": {"words": ["..."]}, "answer": "...", "expect": true or false}',
    "classifier": '{"request": {"words": ["..."]}, "expect": "the kind" or null}',
    "matcher": '{"request": {"words": ["..."]}, "expect": true or false}',
}


def node_prompt(opening: NodeOpening, book: Book) -> str:
    """What an author reads: the contract, the purpose, the evidence, and what failed before."""
    kind = opening.kind
    more = (
        "    # answer: the text of the answer; document: the JSON in it, or None\n"
        if kind == "validator"
        else ""
    )
    ends = _ends(book, opening)
    return (
        f"You write a {kind}: one Python function. {opening.purpose}\n\n"
        f"def {ENTRIES[kind]}({', '.join(NODE_ARGUMENTS[kind])}):\n"
        f"    # request: a dict of {', '.join(WORDS)}, each a text; {', '.join(NUMBERS)}, each a\n"
        "    #          number; words: a list of up to 40 words of the user's last message, in\n"
        "    #          small letters; pattern: the group of alike requests it belongs to, or ''\n"
        f"{more}    # returns {_RETURNS[kind]}\n\n"
        "No imports, no loops without end, no names with underscores.\n\n"
        "What judged answers show:\n" + "\n".join(f"- {line}" for line in opening.lines) + "\n\n"
        f"{ends}"
        "Answer with the function in a ```python block and, after it, at least "
        f"{LEAST_CASES} cases that you make up in a ```json block: a list of\n{_EXPECTS[kind]}\n"
    )


def node_in(answer: str, opening: NodeOpening, author: str) -> Node:
    """The node in an author's answer. Raises `Rejected` if its cases are missing or malformed."""
    source = _block(answer, "python|py|", f"def {ENTRIES[opening.kind]}")
    written = _block(answer, "json", "")
    try:
        listed = orjson.loads(written) if written else []
    except orjson.JSONDecodeError as error:
        raise Rejected(f"cases: the ```json block is no JSON: {error}") from None
    cases = checked_cases(opening.kind, listed)
    if len(cases) < LEAST_CASES:
        raise Rejected(f"cases: {len(cases)} are there, and {LEAST_CASES} are the least")
    return Node(
        opening.name,
        opening.kind,
        source,
        cases=cases,
        author=author,
        plan=opening.plan,
        evidence="; ".join(opening.lines[:3]),
    )


def check_written(
    node: Node, opening: NodeOpening, rows: Sequence[WordedAnswer], config: Config
) -> None:
    """Raise `Rejected` if the node fails a gate; `rows` are others than those of the opening."""
    seconds = config.trials.function_ms / 1000
    check_node(node, seconds)
    with LoadedNode(node, seconds) as ask:
        match node.kind:
            case "validator":
                own = [row for row in rows if row.plan == opening.plan and row.answer]
                _check_refusals(node, own, ask)
            case "classifier":
                own = [row for row in rows if not row.tagged and row.kind == opening.within]
                _check_kinds(own, _words(node, own, ask), config.objective.preference)
            case "matcher":
                _check_matches(rows, _words(node, rows, ask))


def may_write(book: Book, opening: NodeOpening, judged: int) -> bool:
    """Whether an opening may be asked for: no version of its node is in use, and the last versions
    that were asked for have not failed on the same evidence."""
    trials = [trial for trial in book.trials.values() if trial.node == opening.name]
    if any(trial.state not in KEPT_OUT and trial.state != "superseded" for trial in trials):
        return False
    asked_for = [note for note in book.notes if note["subject"] == opening.subject]
    fresh = [n for n in asked_for if "judged" in n and judged < max(2 * n["judged"], 1)]
    failed = any(trial.began >= fresh[0]["at"] for trial in trials) if fresh else False
    return not failed and len(fresh) < _TRIES


def asked_line(opening: NodeOpening, judged: int, at: float) -> Line:
    """A note that a node was asked for, with how much was known then."""
    why = f"to gain up to {opening.gain:.3f} a request: {opening.lines[0]}"
    return {"do": "note", "at": at, "subject": opening.subject, "what": "asked", "why": why,
            "judged": judged}  # fmt: skip


def _check_refusals(
    node: Node, rows: Sequence[WordedAnswer], ask: Callable[[Sequence[Any]], Any]
) -> None:
    words = _words(node, rows, ask)
    sides = [
        [
            word == REFUSES
            for word, row in zip(words, rows, strict=True)
            if (row.quality < GOOD) is b
        ]
        for b in (True, False)
    ]
    wrong, good = sides
    if not wrong or not good:
        raise Rejected("replay: there are no judged answers to try it on")
    if sum(wrong) < _CAUGHT * len(wrong) or sum(good) > _REFUSED_GOOD * len(good):
        raise Rejected(
            f"replay: of answers that it had not seen, it refuses {sum(wrong)} of {len(wrong)} "
            f"wrong ones and {sum(good)} of {len(good)} good ones; at least {_CAUGHT:.0%} and at "
            f"most {_REFUSED_GOOD:.0%} are needed"
        )


def _check_kinds(
    rows: Sequence[WordedAnswer], words: Sequence[str], preference: Preference
) -> None:
    """The requests that get a kind must have a better plan than the one that is best for all."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    every: dict[str, list[float]] = defaultdict(list)
    for row, word in zip(rows, words, strict=True):
        utility = utility_of(row.quality, row.cost_usd, row.seconds, preference)
        every[row.plan].append(utility)
        groups[word][row.plan].append(utility)
    groups.pop("", None)
    usual = max(every, key=lambda plan: _mean(every[plan]), default="")
    gain, count = 0.0, 0
    for plans in groups.values():
        size = sum(map(len, plans.values()))
        worth = {plan: _mean(values) for plan, values in plans.items() if len(values) > 1}
        if usual in worth:
            gain += size * (max(worth.values()) - worth[usual])
        count += size
    if count < _LEAST_NAMED or gain <= 0:
        raise Rejected(
            f"replay: it names the kind of {count} of {len(rows)} requests, and their best plan is "
            f"{usual or 'unknown'} like that of all others"
        )


def _check_matches(rows: Sequence[WordedAnswer], words: Sequence[str]) -> None:
    sides = [
        [row.quality for row, word in zip(rows, words, strict=True) if (word == MATCHES) is b]
        for b in (True, False)
    ]
    inside, outside = sides
    if len(inside) < _LEAST_NAMED or not outside or _mean(inside) >= _mean(outside):
        raise Rejected(
            f"replay: {len(inside)} of {len(rows)} requests match, and they are answered no worse "
            "than the others"
        )


def _words(
    node: Node, rows: Sequence[WordedAnswer], ask: Callable[[Sequence[Any]], Any]
) -> list[str]:
    """What the node says about each row."""
    try:
        return [said_by(node.kind, ask(r.arguments(node.kind)), node.source).word for r in rows]
    except MachineTrouble as error:
        raise Postponed(f"it is tried again later: {error}") from None
    except Unanswered as error:
        raise Rejected(f"replay: {error}") from None


def _block(answer: str, language: str, must_have: str) -> str:
    blocks = re.findall(rf"```(?:{language})[^\S\n]*\n(.*?)```", answer, re.DOTALL)
    fitting = [block for block in blocks if must_have in block]
    return textwrap.dedent(fitting[-1]).strip() + "\n" if fitting else ""


def _ends(book: Book, opening: NodeOpening) -> str:
    """What became of earlier versions, so that no fault is made twice."""
    notes = [n for n in book.notes if n["subject"] == opening.subject and n["what"] == "refused"]
    trials = [t for t in book.trials.values() if t.node == opening.name and t.ended]
    ends = [*(note["why"] for note in notes), *(f"{t.state}: {t.why}" for t in trials)]
    if not ends:
        return ""
    listed = "\n".join(f"- {' '.join(str(end).split())[:300]}" for end in ends[-_LATEST:])
    return f"What became of earlier ones:\n{listed}\n\n"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
