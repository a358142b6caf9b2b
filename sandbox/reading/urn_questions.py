"""Reads draws from a box of a few kinds: balls of colours, defective parts, people of two groups.

Things are drawn without replacement unless the request says otherwise.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.events import Event
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import take_question, whole
from sandbox.reading.reader import Reader
from sandbox.reading.rules import Rule, calculation
from sandbox.spec import Spec

_DRAWN = (
    "draw #n.", "#n. draw", "#n. * draw", "draw * #n.", "sample_word #n.", "committee #n.", "'of 'the #n.",
)  # fmt: skip


def _kinds(reader: Reader) -> dict[str, float]:
    """The kinds in the box and their numbers: the first colours with numbers."""
    kinds: dict[str, float] = {}
    for place in reader.free("number"):
        token = reader.tokens[place]
        following = reader.tokens[place + 1 : place + 3]
        colour = next((t for t in following if t.means("colour")), None)
        if not kinds and colour is None:
            continue  # `a committee of 4 from 6 men and 5 women`
        if token.unit or colour is None or colour.stem in kinds:
            break
        if following[0] is not colour and not following[0].means("ball"):
            break
        kinds[_colour(colour.stem)] = token.value
        reader.taken.update((place, reader.tokens.index(colour)))
    return kinds


def _colour(stem: str) -> str:
    """One name for a Spanish colour of either gender."""
    return stem[:-1] + "o" if stem.endswith("a") and stem not in ("rosa", "naranja") else stem


def _read(reader: Reader) -> Spec | None:
    if not reader.has("colour", "draw") or reader.has("card", "die", "coin", "sd"):
        return None
    question = take_question(reader)
    if not question.wanted:
        return None
    replaced = bool(reader.take_all("with_replacement"))
    stated = bool(reader.take_all("without_replacement"))
    kinds = _kinds(reader)
    if len(kinds) >= 2:
        made = _colours(reader, kinds, replaced=replaced)
    else:
        made = _marked(reader, replaced=replaced, stated=stated)
    if made is None:
        return None
    method, parameters, drawn = made
    reader.take_all(
        "draw",
        "ball",
        "container",
        "people_word",
        "trial_word",
        "at_random",
        "all_word",
        "pool_from",
    )
    reader.take_all(
        "both_word", "sample_word", "time_word", "each", "out_of", "visitor", "committee"
    )
    reader.labels |= measured_words()
    assumed = () if stated or replaced or drawn == 1 else ("without replacement",)
    return calculation(method, parameters | question.parameters, *assumed)


_Made = tuple[str, dict[str, Any], float]


def _colours(reader: Reader, kinds: dict[str, float], *, replaced: bool) -> _Made | None:
    replacement = {"replacement": True} if replaced else {}
    counts = list(kinds.values())
    for concept, different in (("same_colour", False), ("different_colours", True)):
        if reader.take_all(concept):
            drawn = _drawn(reader)
            if drawn is None or (different and drawn != 2):
                return None
            parameters: dict[str, Any] = {"counts": counts, "drawn": drawn, **replacement}
            if different:
                parameters["different"] = True
            return "urn_same_colour", parameters, drawn
    if reader.take_all("one_of_each"):
        return _one_of_each(reader, counts, replacement)
    choice = _wanted(reader, kinds)
    if choice is None:
        return None
    wanted, bound = choice
    drawn = _drawn(reader)
    if not wanted:
        return _worded(reader, kinds, drawn, replaced=replaced)
    if len(wanted) > 1:
        total = sum(wanted.values())
        if drawn is not None and drawn != total:
            return None
        order = list(kinds)
        numbers = [wanted.get(c, 0.0) for c in order]
        return "urn", {"counts": counts, "wanted": numbers, **replacement}, total
    ((colour, k),) = wanted.items()
    if drawn is None:
        if bound:
            return None
        drawn = k
    event = {"at_least": Event(low=k), "at_most": Event(high=k), "": Event(k, k)}[bound]
    return _of_one_colour(kinds, colour, drawn, event, replaced=replaced)


def _one_of_each(reader: Reader, counts: list[float], replacement: dict[str, bool]) -> _Made | None:
    number = float(len(counts))
    if _drawn(reader) not in (None, number):
        return None
    return "urn", {"counts": counts, "wanted": [1.0] * len(counts), **replacement}, number


def _wanted(reader: Reader, kinds: dict[str, float]) -> tuple[dict[str, float], str] | None:
    """Take how many of each colour are asked about, and a bound such as `at_least`."""
    wanted: dict[str, float] = {}
    bound = ""
    while True:
        for pattern, concept in (
            ("at_least #k. colour", "at_least"), ("at_most #k. colour", "at_most"),
            ("exactly #k. ball? colour", ""), ("#k. ball? colour", ""),
        ):  # fmt: skip
            match = phrases.take(reader, pattern)
            if match is not None:
                added = concept
                break
        else:
            return None if len(wanted) > 1 and bound else (wanted, bound)
        colour = _last_colour(reader)
        if colour in wanted or colour not in kinds or bound:
            return None
        wanted[colour], bound = match["k"].value, added


def _worded(
    reader: Reader, kinds: dict[str, float], drawn: float | None, *, replaced: bool
) -> _Made | None:
    """Read `both red`, `no red`, `a red one`."""
    for pattern, kind in (
        ("none_word ball? colour", "none"), ("all_word|both_word ball? colour", "all"),
        ("all_word|both_word * colour", "all"), ("colour", "one"),
    ):  # fmt: skip
        if phrases.take(reader, pattern):
            colour = _last_colour(reader)
            if colour not in kinds:
                return None
            if kind == "one":
                drawn = drawn or 1.0
                if drawn != 1:
                    return None
            if kind == "all" and drawn is None:
                drawn = 2.0 if reader.has("both_word") else None
            if drawn is None:
                return None
            k = {"none": 0.0, "all": drawn, "one": 1.0}[kind]
            return _of_one_colour(kinds, colour, drawn, Event(k, k), replaced=replaced)
    return None


def _of_one_colour(
    kinds: dict[str, float], colour: str, drawn: float, event: Event, *, replaced: bool
) -> _Made:
    total = sum(kinds.values())
    return _hypergeometric(total, kinds[colour], drawn, event, replaced=replaced)


def _hypergeometric(
    total: float, marked: float, drawn: float, event: Event, *, replaced: bool
) -> _Made:
    if replaced:
        of: dict[str, Any] = {"family": "binomial", "parameters": {"n": drawn, "p": marked / total}}
    else:
        parameters = {"population": total, "marked": marked, "drawn": drawn}
        of = {"family": "hypergeometric", "parameters": parameters}
    return "distribution_probability", of | event.parameters, drawn


def _last_colour(reader: Reader) -> str:
    """The colour taken last in the order of the request's unread part."""
    places = [i for i in sorted(reader.taken) if reader.tokens[i].means("colour")]
    return _colour(reader.tokens[places[-1]].stem)


def _drawn(reader: Reader) -> float | None:
    drawn = phrases.value(reader, *_DRAWN)
    if drawn is None and phrases.take(reader, "'twice"):
        drawn = 2.0
    return drawn if drawn is None or whole(drawn) else None


_DEFECT = "'defective|'faulty|'broken|'bad|'rotten|'damaged|'spoiled|'defectuosa|'defectuoso|'mala|'malo|'podrida|'rota|'winning|'expired|'defect"


def _marked(reader: Reader, *, replaced: bool, stated: bool) -> _Made | None:
    """Read a box of 50 bulbs of which 6 are faulty, and a draw of some."""
    if not (reader.has("draw") or stated):
        return None
    marked = _last_marked(reader)
    if marked is None:
        return None
    event: Event | None = None
    for pattern, low, high in (
        (f"at_least #k. * {_DEFECT}", True, False), (f"at_most #k. * {_DEFECT}", False, True),
        (f"exactly #k. * {_DEFECT}", True, True), ("at_least #k.", True, False), ("at_most #k.", False, True),
        ("exactly #k.", True, True),
    ):  # fmt: skip
        k = phrases.value(reader, pattern)
        if k is not None:
            event = Event(k if low else None, k if high else None)
            break
    none, every = False, False
    if event is None:
        none = bool(phrases.take(reader, f"none_word * {_DEFECT}", "none_word"))
        every = not none and bool(phrases.take(reader, f"all_word|both_word * {_DEFECT}"))
    total = phrases.value(
        reader, "container #t.", "#t. ball", "trial_word #t.", "#t. trial_word", "container * #t.",
    )  # fmt: skip
    drawn = _drawn(reader)
    for repeated in [i for i in reader.free("number") if reader.tokens[i].value == drawn]:
        reader.taken.add(repeated)  # `none of the five`
    if total is None:
        only = reader.only_number("")
        total = only.value if only else None
    if total is None or drawn is None:
        return None
    total += marked if _counts_the_sound(reader, total) else 0.0  # `15 good and 3 bad oranges`
    if none:
        event = Event(0, 0)
    elif every:
        event = Event(drawn, drawn)
    if event is None or total < drawn:
        return None
    phrases.take(reader, _DEFECT)
    reader.labels |= {
        t.stem for t in reader.tokens if t.stem in _DEFECT.replace("'", "").split("|")
    }
    return _hypergeometric(total, marked, drawn, event, replaced=replaced)


_SOUND = frozenset(
    """good working fine sound intact fresh healthy losing valid buena bueno sana sano entera entero
    valida valido""".split()
)


def _counts_the_sound(reader: Reader, total: float) -> bool:
    """Whether a number counts the things without a fault, and not all things."""
    return any(
        token.kind == "number"
        and token.value == total
        and any(t.stem in _SOUND for t in reader.tokens[place + 1 : place + 3])
        for place, token in enumerate(reader.tokens)
    )


def _last_marked(reader: Reader) -> float | None:
    return phrases.value(reader, f"#m. {_DEFECT}", f"#m. * {_DEFECT}")


RULES = (
    Rule(
        "a question about draws from a box",
        frozenset({"colour", "draw"}),
        _read,
        "how many of each kind there are, how many are drawn, and which",
    ),
)
