"""Takes the wishes that any request may have: a rounding, a format, a seed."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.reading.reader import Reader
from sandbox.spec import Spec

_NEAREST = {
    "to_the_nearest_cent": 2,
    "to_the_nearest_whole": 0,
    "to_the_nearest_ten": -1,
    "to_the_nearest_hundred": -2,
    "to_the_nearest_thousand": -3,
}


def with_wishes(reader: Reader) -> Callable[[Spec], Spec]:
    """Take the wishes from the reader; the function returned puts them into a spec."""
    decimals = _decimals(reader)
    format_ = "csv" if reader.take_all("csv") else "json"
    reader.take_all("json")
    seed = reader.number_after("seed", unit="")

    def put(spec: Spec) -> Spec:
        if spec.kind == "generate":
            return spec  # a request for data says which columns it rounds
        made = replace(spec, format="csv") if format_ == "csv" else spec
        if seed is not None and seed.value == int(seed.value):
            made = replace(made, seed=int(seed.value))
        return made if decimals is None else replace(made, decimals=decimals)

    return put


def _decimals(reader: Reader) -> int | None:
    for concept, places in _NEAREST.items():
        if reader.take(concept):
            reader.take("rounded")
            return places
    for place in reader.places("decimals"):
        number = place - 1
        single = number >= 0 and reader.tokens[number].text.lower() in ("un", "one", "a", "una")
        if number >= 0 and (single or reader.tokens[number].kind == "number"):
            value = 1.0 if single else reader.tokens[number].value
            if value == int(value) and 0 <= value <= 12:
                before = number - 1
                if before >= 0 and reader.tokens[before].means("rounded"):
                    reader.taken.add(before)
                reader.taken.update((place, number))
                return int(value)
    return None
