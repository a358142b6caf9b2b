"""Takes the summaries of samples from a request: means, deviations, sizes, events, levels, tails.

Each number has its role by a cue, or by the only arrangement that its cues and sizes allow. Two
possible arrangements are a question to the caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.lexicon import SCENE
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token, tokens

_EVENT_WORDS = ("conversion",)
_SIZE_WORDS = ("visitor", "people_word", "trial_word", "sample_word")


@dataclass(frozen=True, slots=True)
class Level:
    """The level of significance and the confidence, where the request states them."""

    alpha: float | None = None
    confidence: float | None = None


_SINGLE_VALUES = (
    "'value|'data|'observation|'measurement|'dato|'valor|'observacion|'medicion|'population"
)


def take_level(reader: Reader) -> Level:
    if reader.has("interval_word") and phrases.take(
        reader.copy(), f"#c% 'of|'de * {_SINGLE_VALUES}"
    ):
        raise NotUnderstood("an interval that holds a share of the values is not understood")
    confidence = phrases.value(
        reader,
        "#c% confidence_word", "#c% interval_word", "confidence_word exactly? #c%", "#c% 'conf",
        "interval_word * #c%", "confidence_word exactly? #c", "'at|'al|'del #c% confidence_word",
        "#c% wilson|wald",
    )  # fmt: skip
    alpha = phrases.value(
        reader,
        "#a% significance_level", "significance_level exactly? #a%", "significance_level two_tailed|one_tailed exactly? #a",
        "significance_level exactly? #a",
        "#a significance_level", "significant 'at|'al #a%", "'at #a% significant", "significant 'a 'el? #a%",
        "significant #a%", "#a% significant",
    )  # fmt: skip
    if alpha is None and confidence is None:
        alpha, confidence = _bare_level(reader)
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


_LEVELS = {0.001: "a", 0.01: "a", 0.02: "a", 0.025: "a", 0.05: "a", 0.1: "a"}
_CONFIDENCES = (0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
_ESTIMATES = ("interval_word", "margin_of_error", "size_wanted", "wilson", "wald", "plus_minus")


def _bare_level(reader: Reader) -> tuple[float | None, float | None]:
    """A usual level without a word for it: `test the claim at 5%`, `margin of error, 95%`."""
    for place in reader.free("number"):
        token = reader.tokens[place]
        following = reader.tokens[place + 1 : place + 2]
        alone = not following or following[0].stem in (".", "?", ",", ";", ")", "\n", ":")
        if token.unit != "%" or not alone:
            continue
        at = place > 0 and reader.tokens[place - 1].stem in ("at", "al")
        if reader.has(*_ESTIMATES):
            if token.value in _CONFIDENCES:
                reader.taken.add(place)
                return None, token.value
        elif (
            at
            and token.value in _LEVELS
            and reader.has("test_word", "significant", "z_test", "t_test", "power_word")
        ):
            reader.taken.add(place)
            return token.value, None
    return None, None


def asks_p(reader: Reader) -> bool:
    """Whether `p` stands for the p-value: `z and p?`, `two-tailed p`, `p = ?`."""
    for place, token in enumerate(reader.tokens):
        if token.text in ("p", "P"):
            following = reader.tokens[place + 1 : place + 3]
            if not any(t.kind == "number" or t.stem in (">", "<", "(") for t in following):
                return True
    return False


def only_confidence(level: Level) -> None:
    """Refuse a level of significance where only a confidence has a meaning."""
    if level.alpha is not None and level.confidence is None:
        raise NotUnderstood("state a confidence level, not a level of significance")


def no_tail(tail: str, reader: Reader | None = None) -> None:
    """Refuse a one-sided interval, also one that is asked as a lower or upper bound."""
    stems = {t.stem for t in reader.tokens} if reader else set()
    one_bound = len({word for word in ("lower", "upper") if word in stems}) == 1
    if tail not in ("", "two") or one_bound:
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


_MEAN = "mean|sample_mean"
_SD = "sd|known_sigma"
_WAS = "'was|'were|'is|'es|'fue|'era"


def _two_after(reader: Reader, cue: str) -> list[float]:
    """Two values after one cue: `means 12 and 15`, `sd 3, 4`."""
    places = reader.places(*cue.split("|"))
    if len(places) != 1:
        return []
    plural = reader.tokens[places[0]].text.lower().endswith("s")
    listed = (f"{cue} #a ', !#b", f"{cue} * #a !'and|'y|'vs|'versus !#b") if plural else ()
    pair = phrases.take(reader, f"{cue} #a !#b", f"{cue} #a !'and|'y|'vs|'versus !#b", *listed)
    return [pair["a"].value, pair["b"].value] if pair else []


def _before_deviations(reader: Reader) -> list[int]:
    """The places of means whose deviation follows: `175 cm (sd 7)`, `5.2 ± 1.1`."""
    places = []
    for place in reader.free("number"):
        at = place + 1
        while at < min(place + 3, len(reader.tokens)) and reader.tokens[at].kind == "word":
            at += 1
        opened = at + 1 < len(reader.tokens) and reader.tokens[at].stem == "("
        letters = (
            opened and _is_letter_of_sd(reader, at + 1) if at + 2 < len(reader.tokens) else False
        )
        spread = at < len(reader.tokens) and reader.tokens[at].means("plus_minus")
        if spread or letters or (opened and reader.tokens[at + 1].means("sd")):
            places.append(place)
    return places


def take_means(reader: Reader) -> list[float]:
    places = _before_deviations(reader)
    if len(places) == 2:
        reader.taken.update(places)
        reader.take_all("mean", "averaging", "on_average")
        return [reader.tokens[place].value for place in places]
    means = _two_after(reader, _MEAN) or [
        v
        for _, v in _every(
            reader, f"{_MEAN} exactly? #m", "averaging|on_average exactly? #m", f"{_MEAN} * {_WAS} #m",
            f"{_MEAN} * #m", "#m on_average|averaging", "#m * on_average",
        )
    ]  # fmt: skip
    if len(means) == 1 and len(reader.places("sd")) == 2:
        return _all_before_deviations(reader, means[0]) or means
    return means


def _all_before_deviations(reader: Reader, mean: float) -> list[float]:
    """Two means, of which one has no word of its own: `averaged 6.1, SD 1.2; slept 6.9, SD 1.0`."""
    numbered = {}
    for sd in reader.places("sd"):
        numbers = [i for i in range(max(0, sd - 5), sd) if reader.tokens[i].kind == "number"]
        if not numbers:
            return []
        numbered[numbers[-1]] = reader.tokens[numbers[-1]]
    free = [i for i in numbered if i not in reader.taken]
    if len(numbered) != 2 or len(free) != 1 or mean not in [t.value for t in numbered.values()]:
        return []
    reader.taken.update(free)
    return [token.value for token in numbered.values()]


def says_deviation(reader: Reader) -> bool:
    """Whether a request states a deviation by a letter: `s = 3.5`, or `DE 12` in Spanish."""
    return any(_is_letter_of_sd(reader, i) for i in range(len(reader.tokens) - 1))


def _is_letter_of_sd(reader: Reader, place: int) -> bool:
    text = reader.tokens[place].text
    following = reader.tokens[place + 1]
    if reader.language == "es" and text == "DE" and not reader.text.isupper():
        return following.kind == "number" or following.stem in ("=", ":")
    return text == "s" and following.stem == "="


def take_letters(reader: Reader) -> list[float]:
    """Take the deviations that a letter states."""
    values = []
    for place in range(len(reader.tokens) - 1):
        if not _is_letter_of_sd(reader, place):
            continue
        number = place + 1 + (reader.tokens[place + 1].kind != "number")
        if number < len(reader.tokens) and reader.is_number(number, None):
            reader.taken.update(range(place, number + 1))
            values.append(reader.tokens[number].value)
    return values


def take_deviations(reader: Reader) -> list[float]:
    single = _two_after(reader, _SD) or [
        v
        for _, v in _every(
            reader, f"{_SD} exactly? #s", "plus_minus #s", f"{_SD} * {_WAS} #s", f"{_SD} * 'a|'to #s",
            f"{_SD} * #s", f"#s {_SD}",
        )
    ]  # fmt: skip
    if single:
        return single
    squares = [v for _, v in _every(reader, "variance exactly? #v", "variance * #v")]
    if any(square < 0 for square in squares):
        raise NotUnderstood("a variance cannot be below 0")
    return [square**0.5 for square in squares]


def take_sizes(reader: Reader, groups: int, *, guess: bool = True) -> list[float]:
    """The sizes of the samples: those with a cue, else, with `guess`, the numbers that are left."""
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
        sizes += [
            v
            for _, v in _every(
                reader,
                f"#n. {words}",
                "sample_word|trial_word !#n.",
                "one_sample at_random? 'de|'of #n.",
                "sampled_word #n.",
            )
        ]
    if len(sizes) < groups and guess:
        left = [i for i in reader.free("number") if reader.tokens[i].unit == ""]
        if len(left) == groups - len(sizes) and (groups == 1 or not sizes):
            reader.taken.update(left)
            sizes += [reader.tokens[i].value for i in left]
    return sizes


def table_cases(reader: Reader) -> list[tuple[float, float]] | None:
    """The events and the sizes of a table of two rows: `group, visitors, conversions`."""
    columns = {
        name: values for name, values in reader.table.items()
        if all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    }  # fmt: skip
    if len(columns) != 2 or any(len(values) != 2 for values in columns.values()):
        return None
    roles = {}
    for name, values in columns.items():
        header = tokens(name.replace("_", " ").lower(), "chance")[0]
        if any(t.means("visitor", "people_word") or t.stem == "n" for t in header):
            roles["n"] = values
        elif any(t.means("conversion") for t in header):
            roles["e"] = values
    if roles.keys() != {"n", "e"}:
        return None
    return [(float(e), float(n)) for e, n in zip(roles["e"], roles["n"], strict=True)]


def take_cases(reader: Reader, groups: int) -> list[tuple[float, float]] | None:
    """Take the events and the size of each group: `480 of 12,000`, `4% of 12,000`, `120/1000`."""
    for place in reader.free("number"):
        following = reader.tokens[place + 1 : place + 2]
        if reader.tokens[place].text == "2" and following and following[0].text == "x2":
            reader.taken.update((place, place + 1))  # `a 2x2 table`
    cases = _cases(reader, groups)
    if cases is not None:
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    return cases


def take_pronouns(reader: Reader) -> None:
    """Take `one` where it stands for a group: `the old one`."""
    for place in reader.free("number"):
        if (
            reader.tokens[place].text == "one"
            and place > 1
            and (
                reader.tokens[place - 2].stem == "the"
                and reader.tokens[place - 1].kind in ("word", "concept")
            )
        ):
            reader.taken.add(place)


def take_group_names(reader: Reader) -> None:
    """Take the numbers that only name two groups: `store 1 ... store 2`, `in 2023 ... in 2024`."""
    pair = "dos" if reader.language == "es" else "two"
    both = [
        i for i in reader.free("number")
        if reader.tokens[i].text.lower() == pair
        and any(may_be_label(t) or t.means(SCENE) for t in reader.tokens[i + 1 : i + 2])
    ]  # fmt: skip
    reader.taken.update(both[:1])  # `two machines`
    named = [i for i in reader.free("number") if i and _names_group(reader, i)]
    pairs = [
        (i, j) for i in named for j in named
        if i < j and reader.tokens[i - 1].stem == reader.tokens[j - 1].stem
        and reader.tokens[j].value == reader.tokens[i].value + 1
    ]  # fmt: skip
    if len(pairs) == 1:
        reader.taken.update(pairs[0])


_MORE = frozenset("more fewer less additional extra mas menos adicionales".split())
_COMPARED = ("more_than", "less_than", "at_least", "at_most")


def _is_relative(reader: Reader, place: int) -> bool:
    """Whether a number is a bound, or is counted from another: `30 more`, `more than 60%`."""
    before = reader.tokens[place - 1] if place else None
    after = reader.tokens[place + 1 : place + 2]
    soon = _up_to_a_number(reader, place)
    more = any(t.stem.split()[0] in _MORE for t in soon if t.stem.split())
    more = more or (bool(after) and after[0].means("time_unit"))
    return more or (before is not None and before.means(*_COMPARED))


def _up_to_a_number(reader: Reader, place: int) -> list[Token]:
    """The words after a number, at most two, up to a mark or another number."""
    words: list[Token] = []
    for token in reader.tokens[place + 1 : place + 3]:
        if token.kind in ("number", "mark"):
            break
        words.append(token)
    return words


def _with_rest(reader: Reader) -> list[tuple[float, float]] | None:
    """Take groups by those with and those without the event: `40 improved and 10 did not`."""
    trial = reader.copy()
    opposites = (
        "ill_word healthy_word", "'passed 'failed", "'yes 'no", "'si 'no", "correct_word wrong_word",
        "'success 'failure", "'survived 'died", "'cured 'sick", "'improved 'unchanged", "'aprobados 'suspensos",
    )  # fmt: skip
    pairs = [f"#e. * {yes} 'and|'y|', #f. * {no}" for yes, no in map(str.split, opposites)]
    matches = phrases.take_every(
        trial, *pairs, "#e. * 'and|'y|', #f. * 'not|'no|negation", "#e. * 'and|'y|', #f. 'not|'no|'sin|'without",
        "#e. 'yes|'si ',? 'and|'y? #f. 'no",
    )  # fmt: skip
    if len(matches) != 2:
        return None
    reader.taken |= trial.taken
    return [(m["e"].value, m["e"].value + m["f"].value) for m in matches]


def _names_group(reader: Reader, place: int) -> bool:
    value, before = reader.tokens[place].value, reader.tokens[place - 1]
    if value in (1, 2):
        noun = before.kind == "word" or not before.means("idle", "change", "sd", "mean", *_COMPARED)
        return before.kind != "mark" and noun and len(before.text) > 2
    return before.stem in ("in", "en") and 1950 <= value <= 2100


def _cases(reader: Reader, groups: int) -> list[tuple[float, float]] | None:
    if groups == 2:
        take_group_names(reader)
    slashed = [i for i in reader.free("number") if reader.tokens[i].fraction]
    if len(slashed) == groups:
        reader.taken.update(slashed)
        pairs = (reader.tokens[i].fraction for i in slashed)
        return [(float(p[0]), float(p[1])) for p in pairs if p is not None]
    take_pronouns(reader)
    places = [i for i in reader.free("number") if reader.tokens[i].unit in ("", "%")]
    if groups == 2 and len(places) == 3:
        each = phrases.take(reader, "#n. * per_group", "#n. * each", "each #n.", "both_word * #n.")
        places = [i for i in places if i not in reader.taken]
        if each and len(places) == 2 and each["n"].value > 1:
            reader.taken.update(places)
            return [_case(reader.tokens[i], each["n"].value) for i in places]
        return None
    if len(places) != 2 * groups or any(_is_relative(reader, i) for i in places):
        return None
    parts = _with_rest(reader) if groups == 2 else None
    if parts:
        return parts
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


def _whole_follows(reader: Reader, place: int) -> bool:
    """Whether `out of` stands soon after a number: `15 bad parts out of 600`."""
    soon = reader.tokens[place + 1 : place + 5]
    return any(t.text.lower() in ("out of", "de un total de", "in", "en") for t in soon)


def _counts_part(reader: Reader, place: int) -> bool:
    """Whether a number is the part of a whole that follows: `38 of 200`, `38 out of the 200`."""
    of = False
    for token in reader.tokens[place + 1 : place + 6]:
        if token.kind == "number":
            return of
        if token.text.lower() in ("out of", "de un total de"):
            of = True
            continue
        noun = may_be_label(token) or token.means(*_SIZE_WORDS, *_EVENT_WORDS)
        if token.stem in ("in", "en") and not of:
            following = reader.tokens[reader.tokens.index(token, place) + 1 :][:1]
            return bool(following) and following[0].kind == "number"
        if not of and noun and _whole_follows(reader, place):
            continue
        of = of or token.means("out_of") or token.stem in ("of", "de", "from")
        if not of or not (token.means("idle", "out_of") or token.stem in _BEFORE_SIZES):
            return False
    return False


_BEFORE_SIZES = frozenset({"/", "of", "de", "among", "entre", "from", "los", "las"})
# Numbers side by side belong together; if they cannot, all events stand before all sizes or after.
_ARRANGEMENTS = {1: (("en", "ne"),), 2: (("enen", "nene", "neen", "enne"), ("eenn", "nnee"))}


def _has_cues(reader: Reader, places: list[int]) -> bool:
    """Whether words say that numbers are events and sizes; numbers alone may be anything."""
    roles = [_role(reader, place) for place in places if reader.tokens[place].unit != "%"]
    if len(places) == 4 and len(roles) == 2:
        return True
    return roles.count("n") + roles.count("e") >= max(1, len(places) // 4)


def _case(event: Token, size: float) -> tuple[float, float]:
    return (event.value * size if event.unit == "%" else event.value, size)


def _cases_of(reader: Reader, places: list[int], roles: str) -> list[tuple[float, float]]:
    events = [reader.tokens[p] for p, role in zip(places, roles, strict=True) if role == "e"]
    sizes = [reader.tokens[p].value for p, role in zip(places, roles, strict=True) if role == "n"]
    return [_case(event, size) for event, size in zip(events, sizes, strict=True)]


_REST = frozenset(
    """miss misses missed failure failures failed fails losses lost others other rest non unsuccessful
    fallos fallidos errores perdidos restantes resto demas""".split()
)


def _counts_the_rest(reader: Reader, place: int) -> bool:
    """Whether a number counts those without the event: `160 clicks and 4,000 misses`."""
    before = reader.tokens[place - 1].stem if place else ""
    after = reader.tokens[place + 1].text.lower() if place + 1 < len(reader.tokens) else ""
    return before in ("and", "y", ",") and after in _REST


def _fits(reader: Reader, places: list[int], roles: str) -> bool:
    for place, role in zip(places, roles, strict=True):
        token = reader.tokens[place]
        if role == "n" and _counts_the_rest(reader, place):
            return False
        cue = "e" if token.unit == "%" else _role(reader, place)
        if cue and cue != role:
            return False
        if role == "e" and token.unit == "" and token.value != int(token.value):
            return False
        if role == "n" and (token.value != int(token.value) or token.value < 1):
            return False
    return all(events <= size for events, size in _cases_of(reader, places, roles))


def _role(reader: Reader, place: int) -> str:
    """Whether the words beside a number say that it counts events ("e") or a group ("n")."""
    before = reader.tokens[place - 1] if place else None
    if _counts_part(reader, place):
        return "e"
    of_difference = place > 1 and reader.tokens[place - 2].means("difference_word")
    if (
        before is not None
        and not of_difference
        and (before.means("out_of") or before.stem in _BEFORE_SIZES)
    ):
        return "n"
    if before is not None and before.stem in ("=", ":") and place > 1:
        name = reader.tokens[place - 2]
        if name.stem in ("n", "n1", "n2", "total") or (
            name.means(*_SIZE_WORDS) and not name.means("group_name", *_EVENT_WORDS)
        ):
            return "n"
        if name.stem in ("x", "x1", "x2", "k") or (
            name.means(*_EVENT_WORDS) and not name.means("visitor")
        ):
            return "e"
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
