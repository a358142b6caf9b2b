"""Takes the summaries of samples from a request: means, deviations, sizes, events, levels, tails.

Each number has its role by a cue, or by the only arrangement that its cues and sizes allow. Two
possible arrangements are a question to the caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.reading import phrases
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token

_EVENT_WORDS = ("conversion",)
_SIZE_WORDS = ("visitor", "people_word", "trial_word", "sample_word")


@dataclass(frozen=True, slots=True)
class Level:
    """The level of significance and the confidence, where the request states them."""

    alpha: float | None = None
    confidence: float | None = None


def take_level(reader: Reader) -> Level:
    confidence = phrases.value(
        reader,
        "#c% confidence_word", "#c% interval_word", "confidence_word exactly? #c%", "#c% 'conf",
        "interval_word * #c%", "confidence_word exactly? #c", "'at|'al|'del #c% confidence_word",
    )  # fmt: skip
    alpha = phrases.value(
        reader,
        "#a% significance_level", "significance_level exactly? #a%", "significance_level two_tailed|one_tailed exactly? #a",
        "significance_level exactly? #a",
        "#a significance_level", "significant 'at|'al #a%", "'at #a% significant", "significant 'a 'el? #a%",
        "significant #a%", "#a% significant",
    )  # fmt: skip
    if confidence is not None and confidence < 0.5:
        raise NotUnderstood(
            f"a confidence of {confidence:.4g} is unusual: say the confidence level"
        )
    if alpha is not None and alpha >= 0.5:
        alpha = 1 - alpha  # `significant at 95%`
    reader.take_all("significance_level", "confidence_word")
    if alpha is not None and confidence is not None and abs(alpha + confidence - 1) > 1e-9:
        raise NotUnderstood("the confidence and the level of significance contradict each other")
    if alpha is None and confidence is not None:
        alpha = round(1 - confidence, 12)
    return Level(alpha, confidence)


def only_confidence(level: Level) -> None:
    """Refuse a level of significance where only a confidence has a meaning."""
    if level.alpha is not None and level.confidence is None:
        raise NotUnderstood("state a confidence level, not a level of significance")


def no_tail(tail: str) -> None:
    """Refuse a one-sided interval."""
    if tail not in ("", "two"):
        raise NotUnderstood("a one-sided interval is not understood: ask for a one-sided test")


def take_tail(reader: Reader, groups: int = 1) -> str:
    """Take the tail of a test: "two", "one", "greater" or "less"; "" if the request names none.

    Between two groups, "greater" means that the group that the request names first is greater.
    """
    if reader.take_all("two_tailed"):
        if reader.take_all("one_tailed"):
            raise NotUnderstood("say whether the test is one-sided or two-sided")
        return "two"
    if not reader.take_all("one_tailed"):
        return ""
    greater, less = reader.places("greater_direction"), reader.places("less_direction")
    if greater and less:
        raise NotUnderstood("say on which side the one-sided test looks: greater or less")
    tail = "greater" if greater else "less" if less else "one"
    if groups == 2 and tail != "one":
        orders = {_groups_around(reader, place) for place in (*greater, *less)}
        if orders == {"second"}:
            tail = "less" if tail == "greater" else "greater"
    reader.take_all("greater_direction", "less_direction")
    return tail


def _groups_around(reader: Reader, place: int) -> str:
    """Of `B greater than A`: which of the groups the request names first stands before the word."""
    names = [
        i
        for i, t in enumerate(reader.tokens)
        if t.means("group_name") and (len(t.text) > 1 or t.text.isupper())
    ]
    before = [i for i in names if place - 4 <= i < place]
    after = [i for i in names if place < i <= place + 4]
    if not before or not after:
        raise NotUnderstood("say which group is expected to be greater: `A greater than B`")
    stems = [_short_name(reader.tokens[i]) for i in names]
    left, right = _short_name(reader.tokens[before[-1]]), _short_name(reader.tokens[after[0]])
    if left == right or "group" in (left, right):
        raise NotUnderstood("say which group is expected to be greater: `A greater than B`")
    return "first" if stems.index(left) < stems.index(right) else "second"


def _short_name(token: Token) -> str:
    """The last word of a group's name: `b` of `group B`."""
    return token.stem.split()[-1] if token.stem.strip() else token.stem


def _every(reader: Reader, *patterns: str) -> Iterator[tuple[int, float]]:
    """All numbers of these phrases, with their places, in the order of the request."""
    numbers: list[tuple[int, float]] = []
    for phrase in phrases.take_every(reader, *patterns):
        for token in phrase.numbers.values():
            numbers.append((_place(reader, token), token.value))
    return iter(sorted(numbers))


def _place(reader: Reader, token: Token) -> int:
    return next(i for i, other in enumerate(reader.tokens) if other is token)


def take_means(reader: Reader) -> list[float]:
    pair = phrases.take(reader, "mean #a #b", "mean * #a 'and|'y #b")
    if pair:
        return [pair["a"].value, pair["b"].value]
    return [v for _, v in _every(reader, "mean exactly? #m", "averaging exactly? #m", "mean * #m")]


def take_deviations(reader: Reader) -> list[float]:
    pair = phrases.take(reader, "sd #a #b", "sd * #a 'and|'y #b")
    if pair:
        return [pair["a"].value, pair["b"].value]
    single = [v for _, v in _every(reader, "sd exactly? #s", "plus_minus #s", "sd * #s", "#s sd")]
    if single:
        return single
    squares = [v for _, v in _every(reader, "variance exactly? #v", "variance * #v")]
    if any(square < 0 for square in squares):
        raise NotUnderstood("a variance cannot be below 0")
    return [square**0.5 for square in squares]


def take_sizes(reader: Reader, groups: int) -> list[float]:
    """The sizes of the samples: those with a cue, else the whole numbers that are left."""
    each = phrases.value(
        reader, "#n. * per_group", "'n|size_n exactly? #n. each", "#n. * each", "per_group #n.",
        "'n|size_n exactly? #n. per_group", "#n. per_group",
    ) if groups == 2 else None  # fmt: skip
    if each is not None:
        return [each, each]
    pair = phrases.take(reader, "'n|size_n|sample_word #a. #b.")
    if pair and groups == 2:
        return [pair["a"].value, pair["b"].value]
    words = "|".join((*_SIZE_WORDS, *_EVENT_WORDS))
    sizes = [v for _, v in _every(reader, "'n|size_n exactly? #n.", "'n1|'n2 exactly? #n.")]
    if len(sizes) < groups:
        sizes += [v for _, v in _every(reader, f"#n. {words}", "sample_word #n.")]
    if len(sizes) < groups:
        left = [i for i in reader.free("number") if reader.tokens[i].unit == ""]
        if len(left) == groups - len(sizes) and (groups == 1 or not sizes):
            reader.taken.update(left)
            sizes += [reader.tokens[i].value for i in left]
    return sizes


def take_cases(reader: Reader, groups: int) -> list[tuple[float, float]] | None:
    """Take the events and the size of each group: `480 of 12,000`, `4% of 12,000`, `120/1000`."""
    slashed = [i for i in reader.free("number") if reader.tokens[i].fraction]
    if len(slashed) == groups:
        reader.taken.update(slashed)
        pairs = (reader.tokens[i].fraction for i in slashed)
        return [(float(p[0]), float(p[1])) for p in pairs if p is not None]
    places = [i for i in reader.free("number") if reader.tokens[i].unit in ("", "%")]
    if groups == 2 and len(places) == 3:
        each = phrases.take(reader, "#n. * per_group", "#n. * each", "each #n.")
        places = [i for i in places if i not in reader.taken]
        if each and len(places) == 2 and each["n"].value > 1:
            reader.taken.update(places)
            return [_case(reader.tokens[i], each["n"].value) for i in places]
        return None
    if len(places) != 2 * groups:
        return None
    cases: set[tuple[tuple[float, float], ...]] = set()
    for arrangements in _ARRANGEMENTS[groups]:
        fitting = [a for a in arrangements if _fits(reader, places, a)]
        cases = cases or {tuple(_cases_of(reader, places, a)) for a in fitting}
    if len(cases) > 1:
        raise NotUnderstood("say which numbers are the events and which the sizes of the groups")
    if not cases or not _has_cues(reader, places):
        return None
    reader.taken.update(places)
    return list(cases.pop())


# Numbers side by side belong together; if they cannot, all events stand before all sizes or after.
_ARRANGEMENTS = {1: (("en", "ne"),), 2: (("enen", "nene"), ("eenn", "nnee"))}


def _has_cues(reader: Reader, places: list[int]) -> bool:
    """Whether words say that numbers are events and sizes; numbers alone may be anything."""
    roles = [_role(reader, place) for place in places if reader.tokens[place].unit != "%"]
    return roles.count("n") + roles.count("e") >= max(1, len(places) // 4)


def _case(event: Token, size: float) -> tuple[float, float]:
    return (event.value * size if event.unit == "%" else event.value, size)


def _cases_of(reader: Reader, places: list[int], roles: str) -> list[tuple[float, float]]:
    events = [reader.tokens[p] for p, role in zip(places, roles, strict=True) if role == "e"]
    sizes = [reader.tokens[p].value for p, role in zip(places, roles, strict=True) if role == "n"]
    return [_case(event, size) for event, size in zip(events, sizes, strict=True)]


def _fits(reader: Reader, places: list[int], roles: str) -> bool:
    for place, role in zip(places, roles, strict=True):
        token = reader.tokens[place]
        cue = "e" if token.unit == "%" else _role(reader, place)
        if cue and cue != role:
            return False
        if role == "n" and (token.value != int(token.value) or token.value < 1):
            return False
    return all(events <= size for events, size in _cases_of(reader, places, roles))


def _role(reader: Reader, place: int) -> str:
    """Whether the words beside a number say that it counts events ("e") or a group ("n")."""
    before = reader.tokens[place - 1] if place else None
    if before is not None and (
        before.means("out_of") or before.stem in ("/", "of", "de", "among", "entre")
    ):
        return "n"
    for token in reader.tokens[place + 1 : place + 5]:
        if (
            token.kind == "number"
            or token.stem in (".", ",", ";", "\n", "?")
            or token.means("out_of")
        ):
            break
        if token.means(*_EVENT_WORDS) and not token.means("visitor"):
            return "e"
        if token.means(*_SIZE_WORDS) and not token.means(*_EVENT_WORDS):
            return "n"
    return ""
