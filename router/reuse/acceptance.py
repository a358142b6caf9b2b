"""Says what may accept a pair of requests, and so which kind of likeness it has. Pure.

Guards only refuse. What they leave open, one of these accepts, or the answer is not reused:
`words`, the same words after a closed list of idle ones; `verifier`, the pair verifier; `asked`, a
backend that was asked whether one answer would serve both. The guards and the verifier know
English. A text in another language, or not clearly in English, has the very same request, and
`asked`, only: `acceptors` enforces it, and everything that accepts a pair asks it first.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

from router.request.language import language
from router.reuse.guards import GuardVerdict

Acceptor = Literal["words", "verifier", "asked", ""]
ACCEPTORS: tuple[Acceptor, ...] = ("words", "verifier", "asked")  # the surest first
_LOOKED_AT = 1_000  # characters of a text that show its language
_LEAST_ENGLISH = 0.12  # the share of a text's words that English alone has, at least
_LEAST_COMMON = 0.5  # the share of common English words, in a text without such words


def acceptors(stored: str, request: str, verdict: GuardVerdict) -> tuple[Acceptor, ...]:
    """What may accept this pair, the surest first; nothing if it is refused."""
    if not guarded(stored, request):
        alike = language(stored) == language(request) and _digits(stored) == _digits(request)
        return ("asked",) if alike else ()
    match verdict.likeness:
        case "words":
            return ("words",)
        case "open":
            return ("verifier", "asked")
    return ("asked",) if verdict.debatable else ()


def guarded(stored: str, request: str) -> bool:
    """Whether the guards know the language of both requests."""
    return _in_english(stored) and _in_english(request)


def _in_english(text: str) -> bool:
    return _LATIN.match(text) is not None and _begins_in_english(text[:_LOOKED_AT])


@lru_cache(maxsize=8_192)
def _begins_in_english(text: str) -> bool:
    if language(text) != "en":
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    foreign = sum(word in _FOREIGN for word in words)
    ours = sum(word in _ENGLISH for word in words)
    if ours > foreign and ours >= _LEAST_ENGLISH * len(words):
        return True
    # Short words are written alike in many languages, and say nothing.
    longer = [word for word in words if len(word) > 2]
    common = sum(word in common_words() or word in _ENGLISH for word in longer)
    least = max(_LEAST_COMMON * len(longer), min(2, len(longer)), 1)
    return not foreign and common >= least


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Common English words, which `experiments/reuse/english_words.py` wrote."""
    return frozenset(Path(__file__).with_name("english.txt").read_text("utf-8").split())


def _digits(text: str) -> list[str]:
    return sorted(_NUMBER.findall(text))


_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
# Letters of English with the accents of its loanwords, figures and signs, and no other script.
_LATIN = re.compile(r"[\x00-\x7f\u00a0-\u00ff\u2010-\u203a\u20a0-\u22ff]*\Z")
# Words that English has and its neighbours do not.
_ONLY_ENGLISH = (
    "the of and is are were be been being what which who whom whose when where why how does did "
    "do doing can could should would will shall may might must my your his her its our their "
    "this these those that there than then with without from into about between through because "
    "if not you he she we they it i'm don't it's i'd have has had get make write explain give "
    "tell show find list create generate describe summarize translate convert explain compare "
    "best good difference mean someone something people some any all every each many much more "
    "most less best long often first need want help please me i to by or your for"
)
_ENGLISH = frozenset(_ONLY_ENGLISH.split())
_OF_OTHERS = (
    "el la los las un una unos unas de del que qué es por para como cómo con y en mi tu su al "
    "se lo le les des et une du dans pas sur avec qui est der die das und ist nicht ein eine "
    "einen zu den mit von für wie auf wann wo warum ich het een van niet hoe zijn wat op voor "
    "ik il gli che di non sono della come più nel o os uma não mais dos das ao ji na się jest "
    "nie jak jag och att som av hur er og hvordan hvad ve bir ne yang dan apa"
)
_FOREIGN = frozenset(_OF_OTHERS.split())
