"""What a user did next, read from two messages in a row of one conversation. Pure.

Of the earlier message only hashes are known: of the whole, and of its first and last words in their
order. The reading is coarse, by words alone: a message that says the same in wholly other words is
not recognised.
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from router.documents.content_words import STOP
from router.signals.phrases import (
    AGAIN,
    ANEW,
    DECLINES,
    FUNCTION,
    NO,
    ONWARD,
    PRAISE,
    TASK,
    THANKS,
    WRONG,
    WRONG_FIRST,
    flat,
    phrases,
)

_LONGEST = 1_000  # characters at each end of a message whose words are compared
_MOST_WORDS = 16  # words at each end of a message that are compared
_DIGEST = 8  # bytes
_BEGINNING = 70  # characters within which a complaint begins
_STEM = 5  # letters of a word that are compared
_KEPT, _KEPT_MOSTLY = 0.55, 0.7  # shares of its words that an edited message keeps
_MOST_ADDED = 3, 6  # words that an edited message adds, by these shares
_MOST_ALIKE = 5  # words with which two tasks of one form begin
_MOST_CHANGED = 2  # content words that differ in an edited message
_ALIKE = 0.4  # the share of content words that a rephrased message has in common
_IN_PLACE = 0.34  # the same, if the message took the place of the earlier one
_SHORT = 6  # words of a message that is only praise or thanks

_FILLER = (
    r"(?:(?:ok(?:ay)?|k|ah+|oh+|hm+|um+|uh+|wow|yes|yeah|yep|hi|hey|alright|right|well|sorry|but|ja|"
    r"si|oui|sim|so|aha|ok then|да|ок|о|well|super|great|perfect|nice|cool|好的|好|嗯|はい|네|오|아|완벽|"
    r"very|really|muy|muito|molto|tres|sehr|cok|очень|非常|真|どうも|정말|너무)"
    r"[ ,.!:;~-]{0,3}){0,3}"
)
_POLITE = (
    r"(?:[ ,.!]{0,3}(?:please|pls|bitte|s'il te plait|s'il vous plait|stp|por favor|per favore|"
)
_POLITE += r"alsjeblieft|aub|prosze|lutfen|пожалуйста|plz|吧|请|お願いします|ください|줘|주세요))?"
_AGAIN = re.compile(rf"(?:please |bitte |请|請)?{_FILLER}{phrases(AGAIN)}{_POLITE}[ .!?~…]{{0,4}}")
_DECLINES = re.compile(_FILLER + phrases(DECLINES.replace("no ", "no, ") + "|" + DECLINES))
_NO = re.compile(
    rf"{_FILLER}{phrases(NO)}(?:[,.!:;…—-]| (?:it|that|this|the|you|i|het|dat|"
    r"das|es|c'est|e|eso|это|то)\b|\s?$)"
)
_NO_CJK = re.compile(rf"{_FILLER}(?:不对|不對|不是|違い?ま?す?|ちがう|아니)")
_WRONG = re.compile(phrases(WRONG))
_WRONG_FIRST = re.compile(_FILLER + phrases(WRONG_FIRST))
_TASK = re.compile(phrases(TASK))
_BLAMES = re.compile(
    r"\b(?:you (?:said|forgot|missed|didn't|did not|ignored)|i (?:said|asked for))\b"
)
_THANKS = re.compile(_FILLER + phrases(THANKS))
_ANY_THANKS = re.compile(rf"(?<!\w){phrases(THANKS)}")
_PRAISE = re.compile(_FILLER + phrases(PRAISE))
_ANEW = re.compile(rf"(?<!\w){phrases(ANEW)}")
_ONWARD = re.compile(phrases(ONWARD) + r"|那|还|還")
_BUT = re.compile(
    r"\b(?:but|however|aber|mais|pero|ma|mas|maar|ale|но|але|fakat|ama)\b|但|不过|可是|でも|けど|하지만|근데"
)
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # each letter counts as a word
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_KANA = re.compile(r"[\u3040-\u309f]")
_SPOKEN = frozenset(flat(word) for line in FUNCTION.split("\n") for word in line.split("|"))
_SMALL = STOP | _SPOKEN
_QUESTION = ("?", "؟", "？")


def hashed(text: str) -> bytes:
    """A digest of a message, and after it a hash of each of its first and last words. The next turn
    of a conversation brings the same message again."""
    return _hashed_once(text) if len(text) <= _LONGEST else _hashed(text)


def _hashed(text: str) -> bytes:
    middle = text[_LONGEST:-_LONGEST]  # letter for letter; the ends are compared as people read
    ends = text if not middle else f"{text[:_LONGEST]} {text[-_LONGEST:]}"
    whole = " ".join(ends.split()).casefold().rstrip(" .!?。！？…") + middle
    digest = blake2b(whole.encode(errors="replace"), digest_size=_DIGEST).digest()
    return digest + b"".join(_hash_of(word) for word in _words(text))


_hashed_once = lru_cache(4_096)(_hashed)


def next_step(before: bytes, text: str, now: bytes = b"", *, in_place: bool = False) -> str:
    """What a user did who wrote `text`, with the hashes `now`, after the answer to the message with
    the hashes `before`; empty if nothing is clear. `in_place`: the user took that message back and
    sent this one."""
    if not text.strip():
        return ""
    now = now or hashed(text)
    if now[:_DIGEST] == before[:_DIGEST]:
        return "retried"
    shown = flat(text[:_LONGEST])
    if _AGAIN.fullmatch(shown):
        return "retried"
    if _DECLINES.match(shown):
        return ""
    onward = _ONWARD.match(shown) is not None
    if not onward and _changed(before, now):
        return "edited"
    if _complains(shown):
        return "corrected"
    if _thanks(shown):
        return "thanked"
    if onward or _of_one_form(before, now):
        return ""
    anew = _ANEW.search(shown[:_BEGINNING]) or _ANEW.search(shown[-_BEGINNING:])
    alike = _alike(before, now)
    if in_place and alike >= _IN_PLACE:
        return "edited"
    return "rephrased" if anew or alike >= _ALIKE else ""


def _complains(shown: str) -> bool:
    if _NO.match(shown) or _NO_CJK.match(shown) or _WRONG_FIRST.match(shown):
        return True
    beginning = shown[: _BEGINNING + 20]
    if _TASK.match(shown):
        return _BLAMES.search(beginning) is not None
    wrong = _WRONG.search(beginning)
    while wrong is not None and wrong.start() <= _BEGINNING:
        before = beginning[wrong.start() - 1 : wrong.start()]
        if not before or not before.isalnum() or not before.isascii():
            return True
        wrong = _WRONG.search(beginning, wrong.start() + 1)
    return False


def _thanks(shown: str) -> bool:
    thanks = _THANKS.match(shown)
    few = len(_WORD.findall(shown[:200])) <= _SHORT
    asks = shown.endswith(_QUESTION)
    if thanks is not None:
        rest = shown[thanks.end() :]
        if _BUT.search(rest[:20]):
            return False
        apart = not rest or not rest[0].isspace() or not asks
        return apart and not (asks and few and not _ends_sentence(rest))
    if asks:
        return False
    if _PRAISE.match(shown) and (few or not _BUT.search(shown[:60])):
        return True
    late = _ANY_THANKS.search(shown[:200])
    return late is not None and len(_WORD.findall(shown[: late.start()])) <= _SHORT and few


def _ends_sentence(rest: str) -> bool:
    return any(sign in rest[:30] for sign in ".!,;")


def _words(text: str) -> list[str]:
    if len(text) <= 2 * _LONGEST:
        words = _WORD.findall(flat(text))
    else:
        words = _WORD.findall(flat(text[:_LONGEST]))[:_MOST_WORDS]
        return words + _WORD.findall(flat(text[-_LONGEST:]))[-_MOST_WORDS:]
    if len(words) <= 2 * _MOST_WORDS:
        return words
    return words[:_MOST_WORDS] + words[-_MOST_WORDS:]


@lru_cache(16_384)
def _hash_of(word: str) -> bytes:
    """Four bytes of a word; the last bit says whether the word has content."""
    short = len(word) == 1 and word.isascii() and not word.isdigit()
    content = word not in _SMALL and not short and not _KANA.match(word)
    base = word if word.isdigit() else word[:_STEM]
    number = crc32(base.encode(errors="replace"))
    return (number & ~1 | content).to_bytes(4)


def _hashes_in(message: bytes) -> list[bytes]:
    return [message[at : at + 4] for at in range(_DIGEST, len(message), 4)]


def _content(hashes: list[bytes]) -> list[bytes]:
    return [word for word in hashes if word[3] & 1]


def _changed(before: bytes, now: bytes) -> bool:
    """Whether a message is the earlier one with a changed detail."""
    earlier, later = _hashes_in(before), _hashes_in(now)
    if not earlier or not later:
        return False
    steps = SequenceMatcher(None, earlier, later, autojunk=False).get_opcodes()
    kept = sum(b - a for name, a, b, _, _ in steps if name == "equal")
    mostly = kept >= _KEPT_MOSTLY * len(earlier)
    if kept < _KEPT * len(earlier) or len(later) - len(earlier) > _MOST_ADDED[mostly]:
        return False
    if mostly and steps[-1][0] == "insert":
        steps.pop()  # an apology for the slip, say
    changed = [
        max(len(_content(earlier[a:b])), len(_content(later[c:d])))
        for name, a, b, c, d in steps
        if name != "equal"
    ]
    if not sum(changed):  # of a long message, all that is compared may be the frame of a task
        return mostly and len(later) < 2 * _MOST_WORDS
    return sum(changed) <= _MOST_CHANGED


def _of_one_form(before: bytes, now: bytes) -> bool:
    """Whether two messages begin alike and then speak of other things, as the next task of a row
    does."""
    earlier, later = _hashes_in(before), _hashes_in(now)
    pairs = zip(earlier, later, strict=False)
    alike = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(earlier), len(later)))
    return alike >= _MOST_ALIKE and alike >= len(earlier) / 2


def _alike(before: bytes, now: bytes) -> float:
    """The share of content words that two messages have in common."""
    earlier, later = (frozenset(_content(_hashes_in(message))) for message in (before, now))
    shared, fewer = len(earlier & later), min(len(earlier), len(later))
    if shared < min(2, max(len(earlier), len(later))):
        return 0.0
    return 2 * shared / (len(earlier | later) + fewer) if fewer else 0.0
