"""The plan of the records that a request wants: its shape, its examples, its words.

Names that the shipped tables do not know are read by the sentence encoder, if one is exported here;
without it, such a field is a field of no known concept.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from router.config.backends import RecordSettings
from router.domain import Fault
from router.encoding.encoder import CannotEncode
from router.encoding.home import encoder_of
from router.records.bounds import shown
from router.records.catalogue.nearest import Nearest
from router.records.nodes import Node
from router.records.planning import RecordPlan, Sense, planned
from router.request.language import language
from router.request.text import last_user_text

_MOST_EXAMPLES = 200
_SPANISH = "es"


def plan_for(fields: Mapping[str, Any], node: Node, settings: RecordSettings) -> RecordPlan:
    words = _words_beside(last_user_text(fields))
    spoken = language(words) if words else ""
    preferred = _SPANISH if settings.locale.startswith(_SPANISH) or spoken == _SPANISH else ""
    return planned(
        node,
        examples=examples_in(fields),
        words=words,
        language=preferred,
        sense=sense_of(settings.encoders),
    )


def examples_in(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The example records of a request; a `Fault` says what they must be."""
    given = fields.get("examples")
    if given is None:
        return []
    listed = [given] if isinstance(given, dict) else given
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise Fault("bad_request", f"examples = {shown(given)} must be a list of records")
    if len(listed) > _MOST_EXAMPLES:
        detail = f"{len(listed)} examples are given, and {_MOST_EXAMPLES} are read: send fewer"
        raise Fault("bad_request", detail)
    return listed


def _words_beside(text: str) -> str:
    """What a prompt says before its JSON."""
    return text.partition("{")[0].partition("[")[0][:400]


@lru_cache(maxsize=2)
def sense_of(encoders: str | None) -> Sense | None:
    """The encoder's sense of names; None where no encoder is exported."""
    if encoders is None:
        return None
    try:
        encoder = encoder_of(None, encoders)
    except CannotEncode:
        return None
    return Nearest(encoder, Path(encoders)).concept
