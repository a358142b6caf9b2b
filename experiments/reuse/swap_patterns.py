"""Where two parts of a question stand in different roles: exchanged, they ask something else.

Each pattern names the exchanged parts `first` and `second`. A pattern knows words, not grammar.
"""

import re

from experiments.reuse import swap_words
from experiments.reuse.swap_words import ACTING, LIKING, MOVING, RELATIVES, STOP

_DETERMINER = r"(?:the|a|an|my|your|his|her|their|our|its|one|two|any|all|every|some|another)"
_W = rf"(?!(?:{STOP})\b)[A-Za-z0-9+#$%][\w+#$%'’&./-]*(?<![.,?])"
_NOUN = rf"(?:{_DETERMINER} )?(?:{_W} ){{0,2}}{_W}"
_END = (
    r"(?=\s*(?:[?,.;:)(\"]|$)|\s+(?:in|on|at|for|with|by|if|when|while|or|and|but|as|using|without|is|are"
    r"|was|do|does|can|will|without|through|via|so|that|during|from|to|after|before)\b)"
)


def _noun(name: str) -> str:
    return rf"(?P<{name}>{_NOUN})"


def _tied(before: str, tie: str, end: str = _END) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:{before}) {_noun('first')}(?P<tie> (?:{tie}) ){_noun('second')}{end}", re.IGNORECASE
    )


_AUXILIARY = r"(?:do|does|did|will|would|can|could|should|may|might|must)(?:n't)?"
_SUBJECT_BEFORE = rf"{_AUXILIARY}|that|if|when|because|why|how"
_VERY = "(?:so |much |far |way |a |a lot |still |actually )*"
_COMPARED = (
    rf"(?:(?:so |too |considered |really |always )?{_VERY}"
    r"(?:more|less|better|worse|[a-z]+(?:[^e]er|ier))(?: (?!than\b)[\w'-]+){0,4} than)"
)

PARTS = (
    _tied("from|between", "to|into|until|without|with"),
    _tied(
        MOVING,
        "to|into|onto|instead of|rather than|over|without|before|after",
    ),
    _tied("use|using|see|treat|view|have|wear|take", "as"),
    _tied(
        "add|put|use|embed|insert|install|mix|replace|substitute|substitute for|using|replacing"
        "|protect|swap|trade",
        "in|on|with|for|by",
    ),
    _tied(
        "(?:effects?|impacts?|influences?|roles?|importance|uses?|usage|applications?|advantages?"
        "|benefits?|dominance|superiority|views?|opinions?|attitudes?|invasion) of",
        "on|in|for|over|to|against|without|about",
    ),
    _tied(_SUBJECT_BEFORE, f"(?:(?:ever|really|actually|still|always|even|just) )?(?:{ACTING})"),
    _tied(r"is|are|was|were|do|does|did|will|would|should|that|think|if|has|have|why", _COMPARED),
    _tied(
        r"is|are|was|were|do|does|choose|prefer|like|love|use|buy|learn|need|want|support|have|the",
        "instead of|rather than|but not|and not|except|over",
    ),
    _tied(
        r"is|are|was|were",
        "(?:caused by|affected by|influenced by|owned by|controlled by|inspired by|derived from"
        "|descended from|evolved from|replaced by|named after|a part of|part of|a type of"
        "|a form of|a kind of|a cause of|the cause of|a symptom of|a sign of|the son of|jealous of"
        "|attracted to|afraid of|scared of|obsessed with|dependent on|based on|loved by|hated by)",
    ),
)

_NO_NAME = (
    "I|I'm|I've|I'd|Is|Are|Do|Does|Can|Will|Would|Should|If|The|A|An|How|What|Why|Which|Who|When|Where"
    "|My|In|On|Did|Was|For|To|Of|From|Or|Not|As"
)
_NAME = (
    rf"(?!(?:{_NO_NAME})\b)[A-Z][\w+#'’.-]*(?<![.,])"
    r"(?: (?!I\b)[A-Z][\w+#.-]*(?<![.,])| [0-9]+\b){0,2}"
)
# "The use of Duolingo in Germany": places and things in a phrase read badly when exchanged.
_BARE = r"in|for|of|with|as|at|on|and|an|the|da|de|if|like|my|new|under|learn|using"
NAMES = re.compile(
    rf"\b(?P<first>{_NAME})(?P<tie>(?:'s|s')?(?: (?!compare)[a-z'’]+){{0,6}}"
    rf" (?!(?:{_BARE})\b)[a-z'’]+ )(?P<second>{_NAME})"
)


KINDS = tuple(re.compile(rf"\b(?:{words})\b(?!-)", re.IGNORECASE) for words in swap_words.KINDS)

_OWN = rf"(?:my|your) (?:[a-z]+[ -])?(?:{RELATIVES})"


_ASKING = "did|will|would|can|could|should"
_DOING = rf"(?:[a-z]+ )?(?:{LIKING})"
_STILL = "(?:still |really )?"


def _change(pattern: str, replacement: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern), replacement


PRONOUNS = (
    *(
        change
        for subject, whom in (("he", "him"), ("she", "her"))
        for change in (
            _change(rf"\b(does|{_ASKING}) {subject} ({_DOING}) me\b", rf"\1 I \2 {whom}"),
            _change(rf"\b(do|{_ASKING}) I ({_DOING}) {whom}\b", rf"\1 {subject} \2 me"),
            _change(rf"\b{subject} {_STILL}({LIKING})s me\b", rf"I \1 {whom}"),
            _change(rf"\bI {_STILL}({LIKING}) {whom}\b", rf"{subject} \1s me"),
        )
    ),
    _change(rf"\b(do|{_ASKING}) they ({_DOING}) me\b", r"\1 I \2 them"),
    _change(rf"\b(do|{_ASKING}) you ({_DOING}) me\b", r"\1 I \2 you"),
    _change(rf"\b(does|{_ASKING}) ({_OWN}) ({_DOING}) me\b", r"\1 I \3 \2"),
    _change(rf"\b(do|{_ASKING}) I ({_DOING}) ({_OWN})\b", r"\1 \3 \2 me"),
    _change(rf"\b({_OWN}) {_STILL}({LIKING})s me\b", r"I \2 \1"),
    _change(rf"\bI {_STILL}({LIKING}) ({_OWN})\b", r"\2 \1s me"),
)

# Applied after a change of pronouns: "does I" and "she misss" are put right.
AGREEMENT = (
    _change(r"\bdoes (I|they)\b", r"do \1"),
    _change(r"\bdo (he|she|my|your)\b", r"does \1"),
    _change(r"\b(miss|kiss)s me\b", r"\1es me"),
)

VERB_AHEAD = frozenset(
    (
        "to",
        "i",
        "you",
        "we",
        "they",
        "can",
        "could",
        "should",
        "will",
        "would",
        "must",
        "people",
        "not",
    )
)
_NO_DEED = "be|am|are|is|was|were|have|do|can|should|will|would|could|not|don't|i|it|the"
_DEED = rf"(?!(?:{_NO_DEED})\b)[a-z]+(?: [^?,.]+?)??"
_END_OF_DEED = "(?=[?,.]|$)"
_INSTEAD = "without|before|after|instead of|rather than"
_GERUND = rf"(?P<second>[a-z]+ing\b(?: [^?,.]+?)?){_END_OF_DEED}"
# The subject of both clauses is the same person.
_WHEN = "when|whenever|if|before|after|while|because|unless|until|although|even though|even if|once"
CLAUSES = tuple(
    re.compile(
        rf"\b(?:do|can|should|could|would|will|must|did) {early} (?P<first>{_DEED})"
        rf"(?P<tie> (?:{_WHEN}|but (?:do not|don't|not)|and not) {late} )"
        rf"(?P<second>{_DEED}){_END_OF_DEED}"
    )
    for early, late in (
        ("I", "I"),
        ("you", "you"),
        ("we", "we"),
        ("they", "they"),
        ("people", "they"),
    )
)
GERUNDS = re.compile(
    r"\b(?:can|could|should|do|to|would|will|must|did)"
    r"(?: I| you| we| they| people| someone| one)? "
    rf"(?P<first>{_DEED})(?P<tie> (?:{_INSTEAD}) ){_GERUND}"
)
_EASIER = (
    "(?:better|worse|harder|easier|safer|healthier|faster|cheaper|more [a-z]+|less [a-z]+) than"
)
GERUND_PAIRS = re.compile(
    r"\b(?P<first>[a-z]+ing\b(?: (?!is|are|was)[^?,.]+?)??)"
    rf"(?P<tie> (?:{_INSTEAD}|for|to|affect|cause|help|require|mean|lead to|{_EASIER}|than) )"
    rf"{_GERUND}"
)
