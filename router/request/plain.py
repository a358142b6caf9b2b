"""The words of a prompt as anybody writes them: no greeting, thanks, sentence marks, capitals.

What is left is the same when somebody writes in a hurry, in capitals, or politely. English and
Spanish; in other languages only marks and capitals go.
"""

import re
import unicodedata

_MOST_PHRASES = 4  # greetings in a row
_LONG = 4_000  # characters
_TAIL = 80  # characters at the end that may be thanks
_OPENING = re.compile(
    r"\W{0,3}(?:(?:hi|hello|hey|greetings|dear)(?: (?:there|all|everyone|team|folks|friend|sir))?|"
    r"good (?:morning|afternoon|evening|day)|please|pls|plz|kindly|ok(?:ay)?|so|well|right|"
    r"(?:can|could|would|will) (?:you|someone)(?: please)?(?: help(?: me)?(?: out)?(?: with)?)?"
    r"(?: this)?|help me with this|(?:a )?quick (?:one|question)|i have a question|"
    r"hola|buenas(?: (?:tardes|noches))?|buenos d[ií]as|por favor|porfa|oye|bueno|vale|"
    r"(?:me )?(?:ayudas|puedes ayudarme|podr[ií]as ayudarme)(?: con esto)?|"
    r"(?:una )?pregunta r[aá]pida|una r[aá]pida|tengo una pregunta)(?=\W|$)\W{0,3}",
    re.I,
)
_CLOSING = re.compile(
    r"\W{0,4}(?<!\w)(?:please|pls|plz|(?:many )?(?:thanks|thank you)(?: (?:so|very) much| a lot)?"
    r"(?: in advance)?(?: for (?:your|the) help)?|thx|ty|cheers|i(?:'d| would)? appreciate "
    r"(?:it|this|your help)|por favor|porfa|(?:muchas |mil )?gracias(?: de antemano)?"
    r"(?: por (?:tu|su) ayuda)?|(?:te|se) lo agradezco|(?:un )?saludos?)\W{0,4}$",
    re.I,
)
# One of these is in every closing; looking for words is quicker than looking for the pattern.
_THANKS = (
    *("please", "pls", "plz", "thank", "thx", " ty", "cheers", "appreciate", "favor", "porfa"),
    *("gracias", "agradezco", "saludo"),
)
_MARKS = re.compile(r"[?!¿¡;:,.\"'«»…\u2018\u2019\u201c\u201d](?=\s|$)|(?<!\S)[\"'¿¡«\u2018\u201c]")


def plain(text: str) -> str:
    """A text without greeting and thanks, sentence marks and capitals."""
    return _MARKS.sub(" ", bare(text)).lower()


_latest: list[tuple[str, str]] = [("", "")]


def bare(text: str) -> str:
    """A text without a greeting at its start and thanks at its end; if that is all, the text.

    The latest short text is remembered, as several steps look at it one after another.
    """
    if len(text) > _LONG:
        return _bare(text)
    latest = _latest[0]
    if latest[0] is not text:
        latest = _latest[0] = text, _bare(text)
    return latest[1]


def _bare(text: str) -> str:
    start, end = 0, len(text)
    for _ in range(_MOST_PHRASES):
        opening = _OPENING.match(text, start)
        if opening is None or opening.end() == start:
            break
        start = opening.end()
    ending = text[max(start, end - _TAIL) :].lower()
    if any(word in ending for word in _THANKS):
        for _ in range(_MOST_PHRASES):
            tail = max(start, end - _TAIL)
            closing = _CLOSING.search(text[tail:end])
            if closing is None:
                break
            end = tail + closing.start()
    left = text[start:end]
    return left if left.strip() else text


def folded(text: str) -> str:
    """A text in small letters, and without accents."""
    small = text.lower()
    if small.isascii():
        return small
    apart = unicodedata.normalize("NFD", small)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
