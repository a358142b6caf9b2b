"""Which word of a source means which word of the target: enums, yes and no, codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.migrating.meaning import Nearness, alternatives, folded, same_value, shortens
from router.records.migrating.steps import NO, YES, is_missing
from router.records.regexes import matches

_LEAST_COSINE, _LEAST_LEAD = 0.55, 0.08
_OPPOSITES = (
    ("active", "cancelled"), ("active", "expired"), ("active", "blocked"), ("active", "archived"),
    ("active", "closed"), ("active", "terminated"), ("active", "inactive"),
    ("enabled", "disabled"), ("open", "closed"), ("paid", "unpaid"),
    ("available", "unavailable"), ("available", "out of stock"), ("in stock", "out of stock"),
    ("available", "agotado"), ("in stock", "agotado"), ("disponible", "agotado"),
    ("public", "private"), ("visible", "hidden"), ("verified", "unverified"), ("online", "offline"),
    ("alive", "dead"), ("married", "single"), ("adult", "minor"), ("approved", "rejected"),
    ("published", "draft"), ("passed", "failed"), ("present", "absent"), ("presente", "ausente"),
    ("aprobado", "suspenso"), ("subscribed", "unsubscribed"), ("allowed", "blocked"),
    ("done", "pending"), ("read", "unread"),
)  # fmt: skip
Table = dict[str, Any]


def enum_tables(
    values: Sequence[Any], wanted: Sequence[Any], near: Nearness | None,
    field_words: Sequence[str] = (),
) -> tuple[list[Table], list[str]]:  # fmt: skip
    """Tables from words of the source to words of the target; several if that is not certain."""
    words = list(dict.fromkeys(folded(value) for value in values if not is_missing(value)))
    whole = [word for word in words if word.isdigit()]
    texts = [w for w in wanted if isinstance(w, str)]
    if len(whole) == len(words) and words and not any(folded(w) in words for w in wanted):
        return _by_rank(words, texts)
    options = {word: _meant(word, wanted, words, near) for word in words}
    codes = {folded(v) for v in values if isinstance(v, str) and v.isupper() and len(v) <= 3}
    if codes == set(words):
        options |= _by_initials([w for w in words if not options[w]], texts, field_words)
    sure = {word: fits[0] for word, fits in options.items() if len(fits) == 1}
    for word, fits in options.items():
        free = [w for w in fits if w not in sure.values()]
        if word not in sure and len(free) == 1:
            sure[word] = free[0]
    rest, left = set(words) - set(sure), [w for w in wanted if w not in sure.values()]
    if codes == set(words) and len(rest) == len(left) == 1 and len(sure) > 1:
        # One code and one word are left, and all values are codes of the same length.
        sure |= {word: left[0] for word in rest if len({len(w) for w in words}) == 1}
    letters = "abcdefghij"[: len(texts)]
    if rest and set(words) <= set(letters) and not any(alternatives(word) for word in words):
        tables = [dict(zip(letters, order, strict=True)) for order in (texts, texts[::-1])]
        return tables, [f"a is {table['a']}" for table in tables]
    none = {folded(w): w for w in texts if is_missing(w)}
    return [none | sure], [""]


def _by_initials(
    words: Sequence[str], wanted: Sequence[str], field_words: Sequence[str]
) -> dict[str, list[Any]]:
    """`HB` is `half` of a field `board`; `G` is `petrol`, which is also called gasoline."""
    meant: dict[str, list[Any]] = {}
    for word in words:
        fits = [
            w
            for w in wanted
            if word in (_initials(folded(w).split()), _initials([*folded(w).split(), *field_words]))
        ]
        others = [w for w in wanted if any(folded(a).startswith(word) for a in alternatives(w))]
        meant[word] = fits or (others if len(word) == 1 else [])
    return meant


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words)


def _by_rank(words: Sequence[str], wanted: Sequence[str]) -> tuple[list[Table], list[str]]:
    """Numbers for words: the first number is the first word, or the last; nothing says which."""
    ranks = sorted(map(int, words))
    start = 0 if ranks[0] == 0 else 1
    if not wanted or ranks[-1] - start >= len(wanted) or ranks[0] < 0:
        return [{}], [""]
    numbers = range(start, start + len(wanted))
    tables = [
        {str(n): w for n, w in zip(numbers, order, strict=True)} for order in (wanted, wanted[::-1])
    ]
    return tables, [f"{start} is {table[str(start)]}" for table in tables]


def _meant(
    word: str, wanted: Sequence[Any], words: Sequence[str], near: Nearness | None
) -> list[Any]:
    """The words of the target that a word of the source may mean, best kind of evidence only."""
    exact = [w for w in wanted if folded(w) == word]
    if exact:
        return exact[:1]
    same = [w for w in wanted if same_value(word, str(w))]
    if same:
        return same
    joined = word.replace(" ", "")
    tight = {w: folded(w).replace(" ", "") for w in wanted}
    short = [w for w in wanted if shortens(joined, tight[w]) or shortens(tight[w], joined)]
    prefix = [w for w in short if folded(w).startswith(joined) or joined.startswith(folded(w))]
    if len(short) != 1 and len(prefix) == 1:
        return prefix
    if short:
        return short
    inside = [w for w in wanted if f" {folded(w)} " in f" {word} "]
    inside = inside or [
        w for w in wanted if any(same_value(p, str(w)) for p in word.split() if len(p) > 2)
    ]
    if len(inside) == 1 and "no" not in word.split() and "not" not in word.split():
        return inside
    if len(word) == 1 and all(len(other) == 1 for other in words):
        return [w for w in wanted if folded(w).startswith(word)]
    if near is None or len(word) < 3 or not any(letter.isalpha() for letter in word):
        return []
    ranked = sorted(((near(word, folded(w)), str(w), w) for w in wanted), reverse=True)
    lead = ranked[0][0] - (ranked[1][0] if len(ranked) > 1 else 0)
    return [ranked[0][2]] if ranked[0][0] >= _LEAST_COSINE and lead >= _LEAST_LEAD else []


def yes_and_no(values: Sequence[Any], target: str, source: str) -> tuple[str, str, bool]:
    """The words beside `yes` and `no` that say yes and no, and whether the names are opposites."""
    name, given = folded(_spaced(target)), folded(_spaced(source))
    opposite = any(
        {_side(name, pair), _side(given, pair)} == {0, 1} for pair in _OPPOSITES
    ) or _negates(given, name) or _negates(name, given)  # fmt: skip
    words = {folded(v) for v in values if not isinstance(v, bool | int | float)}
    words -= YES | NO
    yes = {w for w in words if any(same_value(w, part) for part in (name, *name.split()[-1:]))}
    for first, second in _OPPOSITES:
        for word in words:
            if same_value(word, second) and any(
                same_value(first, n) for n in (name, *name.split())
            ):
                yes -= {word}
    no = set()
    for word in words - yes:
        against = any(
            (
                same_value(word, second)
                and (same_value(first, name) or any(same_value(first, y) for y in yes))
            )
            or (same_value(word, second) and first in name.split())
            for first, second in _OPPOSITES
        )
        if against or any(_negates(word, other) for other in (name, *name.split(), *yes, *words)):
            no.add(word)
    yes |= {w for w in words if any(_negates(n, w) for n in no)} - no
    # Words of the values say what they mean, whatever the source's field is called.
    return "|".join(sorted(yes)), "|".join(sorted(no)), opposite and not (yes or no)


def _spaced(name: str) -> str:
    return " ".join(w for w in words_of(name) if w not in ("is", "has", "es", "esta", "was"))


def _side(name: str, pair: tuple[str, str]) -> int | None:
    for at, word in enumerate(pair):
        if name == word or same_value(name, word):
            return at
    return None


def _negates(word: str, other: str) -> bool:
    return bool(other) and word in {
        f"no {other}", f"not {other}", f"un{other}", f"in{other}", f"non {other}", f"dis{other}",
        f"sin {other}",
    }  # fmt: skip


def code_table(values: Sequence[Any], pattern: str) -> Mapping[str, Any]:
    """The codes of words where a pattern wants codes: `Spain` is `ES`."""
    table = {}
    for value in values:
        codes = {
            form
            for word in alternatives(str(value))
            for form in (word.upper(), word)
            if matches(pattern, form)
        }
        if len(codes) == 1:
            table[folded(value)] = codes.pop()
    return table
