"""Whether a record's own text denies a value: what is `not red` is made in another colour."""

from collections.abc import Mapping
from typing import Any

from router.records.catalogue.tables import plain
from router.records.effort import spend
from router.records.enriching.reading.words import Text

_SHORTEST, _LONGEST = 3, 40  # characters of a value that a text is searched for


def denies(record: Mapping[str, Any], value: Any) -> bool:
    """Whether each place where a text of the record has this value denies the value, or asks."""
    if not isinstance(value, str) or not _SHORTEST <= len(value) <= _LONGEST:
        return False
    word = plain(value)
    for text in record.values():
        if isinstance(text, str) and " " in text and word in plain(text):
            read = Text(text)
            spend(1 + len(read.tokens) // 20)
            mentions = list(read.phrases([value]))
            if mentions and not any(read.is_sure(mention, past=False) for mention in mentions):
                return True
    return False
