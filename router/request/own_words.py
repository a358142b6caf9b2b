"""The words of a request that written functions see: few, small, in their order. Pure.

They are for the sandbox alone. No row of telemetry holds them unless prompts are kept.
"""

import re
import unicodedata

MOST_WORDS = 40
_END = 12  # of these, words at the end of a long message, where often the question stands
_HEAD, _TAIL = 2_000, 800  # characters read of a message
_LONGEST = 40  # letters
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def seen_words(text: str) -> list[str]:
    """The different words of a message, in small letters: at most 40, each of at most 40 letters.

    Of a long message, the first words and the last ones are taken. Numbers are no words.
    """
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]} {text[-_TAIL:]}"
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    small = text.lower().replace("\u2019", "'")
    words = [word for word in dict.fromkeys(_WORD.findall(small)) if len(word) <= _LONGEST]
    if len(words) > MOST_WORDS:
        words = words[: MOST_WORDS - _END] + words[-_END:]
    return words
