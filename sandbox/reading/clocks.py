"""Takes times of day and times of laps from a request: 21:45, 5:30 pm, 9 am, 24:31."""

from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood

_HALVES = {"am": 0, "a.m": 0, "pm": 12, "p.m": 12}


def take_clocks(reader: Reader) -> list[str]:
    """Take all times as texts such as 17:30, of the whole day if `am` or `pm` follows."""
    clocks = []
    for place in reader.free("number"):
        if place in reader.taken:
            continue
        first, minutes, last = reader.tokens[place], 0.0, place
        if place + 2 < len(reader.tokens):
            colon, second = reader.tokens[place + 1 : place + 3]
            joined = first.end == colon.start and colon.end == second.start
            if colon.stem == ":" and second.kind == "number" and joined and 0 <= second.value < 60:
                minutes, last = second.value, place + 2
        half = reader.tokens[last + 1].text.lower() if last + 1 < len(reader.tokens) else ""
        if last == place and (half not in _HALVES or first.unit or first.value != int(first.value)):
            continue
        hours = first.value
        if half in _HALVES:
            last += 1
            if not 1 <= hours <= 12:
                raise NotUnderstood(
                    f"there is no {hours:g}:{minutes:02g} {half}: write 17:30 alone"
                )
            hours = hours % 12 + _HALVES[half]
        reader.taken.update(range(place, last + 1))
        clocks.append(f"{hours:g}:{minutes:02g}")
    return clocks
