"""How far a computed answer was checked: a level, and the parts of the request that nobody checked.

`spec`: every part of the request was read, and every part was recomputed or tested outside the
sandbox. `agreed`: two programs that were written independently agree. `rerun`: the same seed gave
the same bytes, and other seeds were consistent. `unverified`: none of these holds.

Only `spec` and `agreed` prove an answer: an answer of another level counts as no quality, is not
reused, and teaches nothing. An unknown level counts as `unverified`. This module judges nothing; it
only says what a level means, and writes it down for callers.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Level = Literal["spec", "agreed", "rerun", "unverified"]
PROVEN_LEVELS: frozenset[Level] = frozenset({"spec", "agreed"})
_LEVELS: Mapping[str, Level] = {level: level for level in get_args(Level)}
_UNCHECKED = "; unchecked: "
_MOST_CHARACTERS = 200  # of a header
_MOST_OF_ONE_PART = 60
_MOST_PARTS = 100  # that are written; a header holds fewer
_ROOM_FOR_COUNT = len(", and 1000000 more")
_SEPARATORS = str.maketrans(",;", "  ")  # they part the header; no part may hold them


@dataclass(frozen=True, slots=True)
class Verified:
    """The level of an answer. `unchecked` quotes the caller, so telemetry keeps its length only."""

    level: Level
    unchecked: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        return self.level in PROVEN_LEVELS

    @property
    def header(self) -> str:
        """`rerun; unchecked: at least 3, sorted`: printable ASCII of at most 200 characters."""
        parts = [part for part in map(_in_ascii, self.unchecked[:_MOST_PARTS]) if part]
        if not parts:
            return self.level
        beyond = len(self.unchecked[_MOST_PARTS:])
        whole = f"{self.level}{_UNCHECKED}{', '.join(parts)}"
        if len(whole) <= _MOST_CHARACTERS and not beyond:
            return whole
        room = _MOST_CHARACTERS - len(self.level) - len(_UNCHECKED) - _ROOM_FOR_COUNT
        shown = _fitting(parts, room)
        more = f"and {len(parts) - len(shown) + beyond} more"
        return f"{self.level}{_UNCHECKED}{', '.join([*shown, more])}"

    @property
    def as_json(self) -> dict[str, Any]:
        return {"level": self.level, "unchecked": list(self.unchecked)}


def verified_in(computed: Mapping[str, Any]) -> Verified:
    """The level of a computed answer; a level that is missing or unknown is `unverified`."""
    level = _LEVELS.get(str(computed.get("level")), "unverified")
    return Verified(level, tuple(str(part) for part in computed.get("unchecked") or ()))


def verified_by(proof: str) -> Verified | None:
    """What a stored proof (a `header`) proves; None for another proof, such as a rating."""
    level, _, unchecked = proof.partition(_UNCHECKED)
    if level not in PROVEN_LEVELS:
        return None
    return Verified(_LEVELS[level], tuple(unchecked.split(", ")) if unchecked else ())


def _in_ascii(part: str) -> str:
    """A part on one line of printable ASCII: letters lose their accents, other signs become `?`."""
    letters = unicodedata.normalize("NFKD", part[: 4 * _MOST_OF_ONE_PART].translate(_SEPARATORS))
    kept = "".join(sign for sign in letters if not unicodedata.combining(sign))
    plain = "".join(sign if " " <= sign <= "~" else " " if sign.isspace() else "?" for sign in kept)
    words = " ".join(plain.split())
    return words if len(words) <= _MOST_OF_ONE_PART else words[: _MOST_OF_ONE_PART - 3] + "..."


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """The first parts that fit, with a separator each."""
    shown: list[str] = []
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            break
        shown.append(part)
    return shown
