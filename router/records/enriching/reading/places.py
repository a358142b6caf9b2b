"""Cities and countries in a text: who was born in one city and lives in another lives in one."""

from collections.abc import Iterator
from functools import cache

from router.records.enriching.place_table import IN_SPANISH, PLACES
from router.records.enriching.reading.words import Mention, Text, only, words_in

_WORDS = {
    "birth": "born birthplace nacio nacido nacida nacer natural",
    "near": "near close outside cerca lejos fuera junto visited visit visita visito raised crecio "
    "called llamado llamada",
    "home": "lives living based located resides vive viven reside ubicado ubicada situado situada "
    "headquartered residente",
    "former": "formerly previously former moved relocated antes anteriormente ex",
}
_LABELS = {word: label for label, words in _WORDS.items() for word in words.split()}
_FROM, _TO = words_in("from desde"), words_in("to hacia hasta")
_MOVED = words_in("moved relocated mudo traslado mudado trasladado moving")
_PREPOSITIONS = words_in("in from to at en de desde a hacia")
# Words beside a city's name that make it the name of something else.
_NEXT = words_in(
    "street road avenue lane times university united hotel airport club fc post cup blue"
)
_PREVIOUS = words_in(
    "calle avenida plaza real hotel universidad university paseo restaurante fc atletico"
)
_ORIGIN = words_in("origin from salida origen departure source")
_DESTINATION = words_in("destination dest to destino llegada arrival delivery shipping entrega")
_BIRTH = words_in("birth born nacimiento birthplace natal")


@cache
def _cities() -> tuple[str, ...]:
    names = [place.city for place in PLACES]
    return (*names, *(IN_SPANISH[name] for name in names if name in IN_SPANISH))


@cache
def _countries() -> tuple[str, ...]:
    names = list(dict.fromkeys(place.country for place in PLACES))
    return (*names, *(IN_SPANISH[name] for name in names if name in IN_SPANISH), "UK", "USA")


def city_for(key_words: frozenset[str], text: Text) -> str | None:
    """The city that a text states for a field with these words in its name."""
    cities = list(_labelled(text, [*text.phrases(_cities()), *_others(text)]))
    return _chosen(cities, key_words)


def country_for(key_words: frozenset[str], text: Text) -> str | None:
    countries = list(_labelled(text, list(text.phrases(_countries()))))
    return _chosen(countries, key_words)


def _chosen(mentions: list[tuple[str, frozenset[str]]], key_words: frozenset[str]) -> str | None:
    def labelled(label: str) -> str | None:
        return only([name for name, labels in mentions if label in labels])

    if key_words & _BIRTH:
        return labelled("birth")
    free = [(name, labels) for name, labels in mentions if not labels & {"birth", "near", "former"}]
    if key_words & _ORIGIN:
        return labelled("from")
    if key_words & _DESTINATION:
        sent = labelled("to") or only([name for name, _ in free])
        return sent
    at_home = [name for name, labels in free if "home" in labels]
    home = only(at_home) if at_home else only([name for name, _ in free])
    return home


def _labelled(text: Text, mentions: list[Mention]) -> Iterator[tuple[str, frozenset[str]]]:
    moves = {token.sentence for token in text.tokens if token.low in _MOVED}
    for mention in mentions:
        token, following = text.tokens[mention.start], text.low(mention.end)
        if not token.is_name or following in _NEXT or text.low(mention.start - 1) in _PREVIOUS:
            continue
        if text.low(mention.start - 2) in _PREVIOUS and text.low(mention.start - 1) in ("de", "of"):
            continue
        if mention.end < len(text.tokens) and text.tokens[mention.end].is_name:
            continue  # `Florence Hall` is no city
        if not text.is_sure(mention, past=False):
            continue
        words = text.before(mention.start, 5)
        labels = {_LABELS[word] for word in words if word in _LABELS}
        moved = token.sentence in moves
        if (words[:1] and words[0] in _FROM) or (moved and words[:1] == ["de"]):
            labels.add("former" if moved else "from")
        elif words[:1] and (words[0] in _TO or words[0] == "a"):
            labels.add("to")
            if moved:
                labels = {"home"}
        if "birth" in labels and labels & {"home"}:
            labels.discard("birth" if words.index(_near(words, "home")) == 0 else "home")
        yield _as_written(text, mention), frozenset(labels)


def _as_written(text: Text, mention: Mention) -> str:
    return " ".join(token.text for token in text.tokens[mention.start : mention.end])


def _near(words: list[str], label: str) -> str:
    return next(word for word in words if _LABELS.get(word) == label)


def _others(text: Text) -> Iterator[Mention]:
    """Names after a preposition that the atlas has as a city."""
    listed = {name.lower() for name in _cities()}
    for n, token in enumerate(text.tokens):
        if not token.is_name or text.low(n - 1) not in _PREPOSITIONS or token.text.isupper():
            continue
        words = [token.text]
        while n + len(words) < len(text.tokens) and len(words) < 3:
            following = text.tokens[n + len(words)]
            if not (following.is_name and following.is_word):
                break
            words.append(following.text)
        name = " ".join(words)
        if name.lower() not in listed and _in_atlas(name):
            yield Mention(name, n, n + len(words))


@cache
def _in_atlas(name: str) -> bool:
    from router.records.enriching.atlas import is_city

    return is_city(name)
