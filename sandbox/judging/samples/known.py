"""Which words of a field its judges know, by role: every other word is named as unchecked.

So a word that is added to `Field` for a new request lowers the level until a judge is taught it.
"""

from collections.abc import Mapping
from dataclasses import fields

from sandbox.spec import Field

_ALWAYS = {"name", "role", "source"}  # a source says where labels come from, not what they are
KNOWN: Mapping[str, frozenset[str]] = {
    role: frozenset(_ALWAYS | set(words.split()))
    for role, words in {
        "number": "distribution low high clip decimals unique order multiple remainder",
        "derived": "formula low high decimals unique order",
        "category": "distribution order unique",
        "boolean": "distribution order",
        "date": "start end order unique",
        "id": "prefix first digits order unique",
        "text": "",
    }.items()
}


def unknown_words(field: Field) -> list[str]:
    """What the field says that no judge knows, such as `unique of name`."""
    judged = KNOWN.get(field.role, frozenset())
    return [
        f"{word.name} of {field.name}"
        for word in fields(Field)
        if word.name not in judged and getattr(field, word.name) not in (word.default, (), None)
    ]
