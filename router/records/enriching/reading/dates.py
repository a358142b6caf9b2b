"""Days that a text names: `on May 5, 2024`, `el 3 de junio de 2024`, `2024-05-02`."""

import datetime as dt
from collections.abc import Iterator

from router.records.enriching.reading.words import Mention, Text, only, words_in

_MONTHS = {
    word: n
    for words in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for n, word in enumerate(words.split(), 1)
}
_WORDS = {
    "birth_date": "born nacio nacido nacida birthday",
    "ordered": "ordered order bought purchased pedido comprado compro placed paid pagado issued",
    "shipped": "shipped sent dispatched enviado salio",
    "delivered": "delivered arrived received entregado recibido llego deliver delivery entrega",
    "due": "due deadline before antes vence vencimiento expires until limite",
    "start": "from starts starting started begins desde empieza inicio started opens comienza",
    "end": "to until ends ended hasta al termina finaliza fin closed cerrado resolved ended",
    "created": "created registered opened joined signed registrado alta abierto submitted since",
    "updated": "updated modified actualizado changed",
    "hired": "hired joined contratado incorporado",
}
_SMALL = words_in("to from until before al desde hasta antes")  # they say it of the next word only
_LABELS = {word: label for label, words in _WORDS.items() for word in words.split()}


def day_for(concept: str, alone: bool, text: Text, language: str) -> str | None:
    """The day that a text states for a field of this concept; `alone`: no other day is wanted."""
    days = list(_days(text, language))
    mine = [day for day, label in days if label == concept]
    if mine:
        return _iso(only(mine))
    free = [day for day, label in days if not label]
    if concept == "date":
        return _iso(only([day for day, _ in days]) if alone else only(free))
    return _iso(only(free)) if alone and concept != "birth_date" and len(days) == 1 else None


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _days(text: Text, language: str) -> Iterator[tuple[dt.date, str]]:
    for mention in _mentions(text, language):
        if text.is_sure(mention, past=False):
            words = text.before(mention.start, 5)
            near = [word for n, word in enumerate(words) if n == 0 or word not in _SMALL]
            label = next((_LABELS[word] for word in near if word in _LABELS), "")
            yield mention.value, label


def _mentions(text: Text, language: str) -> Iterator[Mention]:
    for n, token in enumerate(text.tokens):
        parts = token.text.replace("/", "-").split("-")
        day: dt.date | None = None
        end = n + 1
        if token.is_number and len(parts) == 3 and all(part.isdigit() for part in parts):
            day = _of_digits([int(part) for part in parts], language)
        elif token.low in _MONTHS:
            day, end = _of_month(text, n)
            if day is not None and text.low(n - 1).isdigit():
                yield Mention(day, n - 1, end)
                continue
            if day is not None and text.low(n - 1) == "de":
                yield Mention(day, n - 2, end)
                continue
        if day is not None:
            yield Mention(day, n, end)


def _of_digits(parts: list[int], language: str) -> dt.date | None:
    first, second, third = parts
    if first > 1900:
        return _date(first, second, third)
    if third < 1900:
        return None
    if first > 12 or language == "es" or first == second:
        return _date(third, second, first)
    return _date(third, first, second) if second > 12 else None  # `03/04/2024` may be either


def _of_month(text: Text, n: int) -> tuple[dt.date | None, int]:
    """The day around the name of a month, and the token after it."""
    month = _MONTHS[text.low(n)]
    if text.low(n - 1).isdigit() and _year(text.low(n + 1)):  # 5 May 2024
        return _date(int(text.low(n + 1)), month, int(text.low(n - 1))), n + 2
    if text.low(n - 1) == "de" and text.low(n - 2).isdigit() and text.low(n + 1) in ("de", "del"):
        year = text.low(n + 2)
        return (_date(int(year), month, int(text.low(n - 2))) if _year(year) else None), n + 3
    if text.low(n + 1).isdigit() and text.low(n + 2) == "," and _year(text.low(n + 3)):
        return _date(int(text.low(n + 3)), month, int(text.low(n + 1))), n + 4
    return None, n + 1


def _year(word: str) -> bool:
    return len(word) == 4 and word.isdigit() and 1900 <= int(word) <= 2100


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
