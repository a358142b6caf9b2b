"""Which words of a spec its judges know: every other word is named as unchecked.

So a word that is added to `Field` or `Spec` for a new request lowers the level until a judge is
taught it.
"""

from collections.abc import Mapping
from dataclasses import fields

from sandbox.spec import Field, Spec

_ALWAYS = {"name", "role", "source"}  # a source says where labels come from, not what they are
KNOWN: Mapping[str, frozenset[str]] = {
    role: frozenset(_ALWAYS | set(words.split()))
    for role, words in {
        "number": "distribution low high clip decimals unique order multiple remainder",
        "derived": "formula low high decimals unique order",
        "category": "distribution order unique",
        "boolean": "distribution order",
        "date": "start end order unique",
        "id": "prefix suffix first digits order unique",
        "text": "",
    }.items()
}
# A seed says how to draw, a format how to write; nothing of either is left in a result.
_OF_ANY = frozenset({"kind", "seed", "format", "assumed"})
_OF_SERIES = _OF_ANY | {"count", "series"}
_OF_RECORDS = _OF_SERIES | {"fields", "correlations"}
_OF_CALCULATIONS = _OF_ANY | {"analyses", "decimals"}


def unknown_words(field: Field) -> list[str]:
    """What the field says that no judge knows, such as `unique of name`."""
    return [
        f"{word} of {field.name}"
        for word in _stated_words(field, KNOWN.get(field.role, frozenset()))
    ]


def unknown_parts(spec: Spec) -> tuple[str, ...]:
    """What a request for records, a series or a calculation says that no judge knows."""
    if spec.kind == "calculate":
        return tuple(_stated_words(spec, _OF_CALCULATIONS))
    return tuple(_stated_words(spec, _OF_RECORDS if spec.series is None else _OF_SERIES))


def _stated_words(of: Field | Spec, judged: frozenset[str]) -> list[str]:
    """The words that say something, and that no judge knows."""
    others = [word for word in fields(of) if word.name not in judged]
    values = {word.name: getattr(of, word.name) for word in others}
    empty = {name for name, value in values.items() if value is None or value in ("", (), {})}
    return [
        word.name for word in others if word.name not in empty and values[word.name] != word.default
    ]
