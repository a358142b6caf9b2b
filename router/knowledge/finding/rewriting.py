"""A question of a conversation, made whole: what a follow-up leaves out comes from earlier turns.
Pure.

"And for two blocks?" after "What happens to a validator that signs one block?" is searched as both
questions together; so is "¿y en invierno?". A question that stands by itself stays as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from router.documents import spanish
from router.documents.content_words import content_words
from router.documents.languages import language_of

_MOST_TURNS = 6  # of the user, the latest
_MOST_CHARACTERS = 600  # of one turn
_FEW_WORDS = 2  # content words; a question with so few needs its conversation
_OPENING = re.compile(
    r"^\W*(?:and|or|but|so|then|also|what about|how about|what if|y|e|o|pero|entonces|tambien"
    r"|ademas|que tal|que hay de|que pasa (?:con|si))\b"
)
_REFERENCE = {
    "en": re.compile(
        r"\b(?:its?|they|them|theirs?|this|that|these|those|there|he|him|his|she|hers?|ones?|then"
        r"|(?:the|an)?other|the same|meantime|meanwhile)\b"
    ),
    # In Spanish, an article refers to something earlier where no noun follows the article.
    "es": re.compile(
        r"\b(?:es[eao]s?|est[eao]s?|aquel(?:l[ao]s?)?|ell[ao]s?|lo mismo|alli|ahi|entonces"
        r"|(?:el|l[ao]s?) (?:otr[ao]s?|mism[ao]s?|de|del|que))\b"
    ),
}


# Words that open the part of a question that a short follow-up replaces: "in the Premier League".
_LINK = re.compile(
    r"(?:in|for|of|on|at|with|by|from|to|the|a|an|among|as"
    r"|de|del|en|para|por|con|a|al|el|la|los|las|un|una|unos|unas)"
)
_MOST_REPLACING = 5  # words of a follow-up that names only what is different


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A question as it is searched."""

    own: str  # as it was asked
    subject: str  # earlier words that complete it; empty if it stands by itself
    language: str

    @property
    def text(self) -> str:
        return f"{self.subject} {self.own}" if self.subject else self.own


def rewritten(question: str, earlier: Sequence[Turn], otherwise: str) -> Rewritten:
    """The question with the words of earlier turns that it needs; `otherwise` is the language of
    a text that does not show its own."""
    spoken = " ".join([*(t.text for t in earlier if t.role == "user"), question])
    language = language_of(question, language_of(spoken, otherwise))
    asked_before = [turn.text for turn in earlier if turn.role == "user" and turn.text.strip()]
    if not asked_before or not follows(question, language):
        return Rewritten(question, "", language)
    subject: list[str] = []
    for text in reversed(asked_before[-_MOST_TURNS:]):
        subject.insert(0, text.strip()[:_MOST_CHARACTERS])
        if not follows(text, language):
            break  # this question stands by itself, and names what the later ones are about
    return Rewritten(question, " ".join(subject), language)


def follows(question: str, language: str) -> bool:
    """Whether a question leaves out something that was said before."""
    plain = spanish.folded(question.strip())
    if _OPENING.match(plain):
        return True
    words = content_words(question, language)
    if len(words) <= _FEW_WORDS:
        return True
    return bool(_REFERENCE[language].search(plain))


def replaced(subject: str, own: str) -> str:
    """The earlier question with its last part replaced by a short follow-up; else nothing.

    "¿Cuándo se paga el IBI?" and "¿y el del coche?" make "¿Cuándo se paga el del coche?".
    """
    opening = _OPENING.match(spanish.folded(own))
    new = (own[opening.end() :] if opening else own).strip(" ,.?!¿¡").split()
    words = subject.strip(" .?!¿¡").split()
    if not opening or not 1 <= len(new) <= _MOST_REPLACING or len(words) < 2:
        return ""
    plain = [spanish.folded(word) for word in words]
    same = [n for n, word in enumerate(plain) if word == spanish.folded(new[0])]
    if same and _LINK.fullmatch(plain[same[-1]]):
        cut = same[-1]
    else:
        cut = len(words) - 1
        while cut > 1 and _LINK.fullmatch(plain[cut - 1]):
            cut -= 1
    return " ".join([*words[:cut], *new])
