"""Takes from a request the event whose probability it asks for: `between 3 and 5`, `X > 2`, `10+`."""

from dataclasses import dataclass
from typing import Any

from sandbox.reading import phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood


@dataclass(frozen=True, slots=True)
class Event:
    """Values from `low` to `high`, or all others if `outside`; a bound that is missing is None."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    outside: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of a calculation, without those that have their usual value."""
        values: dict[str, Any] = {}
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                values[name] = getattr(self, name)
        for name in ("low_open", "high_open", "outside"):
            if getattr(self, name):
                values[name] = True
        return values


_MORE = "more_than|beyond"
_LESS = "less_than|short_of"
_CHAINS = (
    ("#a less_than 'x? 'y? less_than #b", True, True),
    ("#a at_most 'x? 'y? less_than #b", False, True),
    ("#a less_than 'x? 'y? at_most #b", True, False),
    ("#a at_most 'x? 'y? at_most #b", False, False),
    ("#a less_than 'z|'t|standard_normal less_than #b", True, True),
    ("#a at_most 'z|'t|standard_normal at_most #b", False, False),
    (f"{_MORE} #a but_word? {_LESS} #b", True, True),
    (f"at_least #a but_word? {_LESS} #b", False, True),
    (f"{_MORE} #a but_word? at_most #b", True, False),
    ("at_least #a but_word? at_most #b", False, False),
)


def take_event(reader: Reader, *, whole: bool) -> Event | None:
    """Take the event; `whole` says that only whole numbers can happen. None if there is none."""
    for pattern, low_open, high_open in _CHAINS:
        match = phrases.take(reader, pattern)
        if match:
            low, high = match["a"].value, match["b"].value
            return Event(low, high, low_open, high_open)
    match = phrases.take(
        reader,
        "outside between|range_word? #a range_to #b",
        "less_than #a or_word|'or more_than #b",
        "at_most #a or_word|'or at_least #b",
    )
    if match:
        if whole:
            raise NotUnderstood("say whether both ends belong to the range outside which it falls")
        return Event(match["a"].value, match["b"].value, outside=True)
    match = phrases.take(
        reader, "between #a range_to #b inclusive?", "'from #a range_to #b inclusive?"
    )
    match = match or phrases.take(reader, "'desde #a range_to #b inclusive?")
    if match:
        return Event(match["a"].value, match["b"].value)
    return _one_bound(reader)


def _one_bound(reader: Reader) -> Event | None:
    value = phrases.value
    if (k := value(reader, "#k or_more", "at_least #k", f"negation {_LESS} #k")) is not None:
        return Event(low=k)
    if (k := value(reader, "#k or_less", "at_most #k", f"negation {_MORE} #k")) is not None:
        return Event(high=k)
    if (k := value(reader, f"{_MORE} #k")) is not None:
        return Event(low=k, low_open=True)
    if (k := value(reader, f"{_LESS} #k")) is not None:
        return Event(high=k, high_open=True)
    if (k := value(reader, "exactly #k", "'x exactly #k", "#k exactly")) is not None:
        return Event(low=k, high=k)
    return None
