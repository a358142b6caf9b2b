"""Reads requests for data: how many records, which columns, their distributions and relations."""

import re
from dataclasses import replace

from sandbox.reading import distributions, naming, patterns, usual, wishes
from sandbox.reading.budget import spend
from sandbox.reading.columns import NotUnderstood, columns
from sandbox.reading.counts import counted
from sandbox.reading.limits import orders, with_orders
from sandbox.reading.mentions import Mention, mentions
from sandbox.reading.numbers import NUMBER
from sandbox.reading.outcome import ReadOutcome
from sandbox.reading.plain_text import Words, column_name, singular
from sandbox.reading.relations import correlations, correlations_of_the_last, derived
from sandbox.spec import Correlation, Distribution, Field, Spec

_MOST, _MOST_CELLS = 1_000_000, 2_000_000


def read(text: str) -> ReadOutcome:
    try:
        return _read(Words(naming.without_units(text)))
    except NotUnderstood as reason:
        return ReadOutcome(problem=str(reason))


def _read(words: Words) -> ReadOutcome:
    seed = words.take(
        r"\b(?:random[ _])?(?:seed(?:ed)?|random_state)\s*+(?:of|=|:|with|to|is|value)*\s*+(\d{1,18})"
    )
    csv = words.take(
        r"(?:\bas|\bin|\binto|\bto)?\s*+(?:a\s)?\bcsv\b(?: format| file| table| output)?"
    )
    count, noun = counted(words)
    assumed: tuple[str, ...] = ()
    if count is None and wishes.SOME.search(words.text):
        count, noun, assumed = usual.COUNT, words.text.split()[0], ("count",)
    if count is None:
        raise NotUnderstood("it does not say how many records")
    if not 1 <= count <= _MOST or count != int(count):
        raise NotUnderstood(f"{count:g} records: ask for a whole number up to {_MOST}")
    if noun and singular(noun.split()[-1]) in _WORDS_ARE_WANTED:
        raise NotUnderstood(f"{noun} are words, not figures")
    fields, related = _fields(words, noun)
    if count * len(fields) > _MOST_CELLS:
        size = f"{count:g} records of {len(fields)} columns are more than one answer should hold"
        raise NotUnderstood(f"{size}: ask for at most {_MOST_CELLS // len(fields)}")
    spec = Spec(
        "generate",
        int(count),
        tuple(fields),
        tuple(related),
        seed=int(seed[1]) if seed else None,
        format="csv" if csv else "json",
        assumed=assumed,
    )
    reasons = [f"{f.name}: {f.distribution.family}" for f in fields if f.distribution]
    return ReadOutcome(spec, reasons=[f"{int(count)} records", *reasons])


def _fields(words: Words, noun: str) -> tuple[list[Field], list[Correlation]]:
    related, hanging = correlations(words), correlations_of_the_last(words)
    formulas = derived(words)
    separate_orders = orders(words)
    kept_mentions = _supported(words, mentions(words.text), related)
    beyond = _BEYOND.search(words.text)
    if beyond:
        raise NotUnderstood(f"`{beyond[0].strip()}` is not understood")
    beside = Words(words.text)
    for mention in kept_mentions:
        beside.blank(min(mention.head, mention.start), max(mention.end, mention.says_from))
    plain = _plain_columns(beside)
    strange = _undescribed_column(beside, words.text)
    if strange:
        raise NotUnderstood(f"it does not say what the column {strange} contains")
    fields, shared = columns(words, kept_mentions, noun)
    for at, relation in hanging:
        of = [mention.name for mention in kept_mentions if mention.head < at and mention.name]
        related += [replace(relation, first=of[-1])] if of else []
    fields = with_orders(fields, separate_orders)
    for name, formula in formulas:
        fields.append(Field(name, "derived", formula=formula))
    _check_formulas(fields)
    by_chance = any(map(_by_chance, fields))
    names = {f.name for f in fields}
    fields += [f for f in plain if not any(k == f.name or k.endswith("_" + f.name) for k in names)]
    fields, related = _related(fields, related, shared)
    left = patterns.search(NUMBER, words.text)
    if left:
        raise NotUnderstood(f"the meaning of {left[0].strip()} is not understood")
    if not (by_chance or related):
        raise NotUnderstood("no distribution, relation or range is given")
    return fields, related


def _supported(
    words: Words, all_mentions: list[Mention], related: list[Correlation]
) -> list[Mention]:
    """The mentions of supported distributions. Raises `NotUnderstood` for other distributions."""
    strange = [m for m in all_mentions if m.family in distributions.UNSUPPORTED]
    if strange and not (related and strange[0].family == "multivariate"):
        name = words.text[strange[0].start : strange[0].end]
        raise NotUnderstood(f"the distribution {name} is not supported")
    return [m for m in all_mentions if m not in strange]


def _check_formulas(fields: list[Field]) -> None:
    names = {f.name for f in fields}
    for f in fields:
        missing = set(patterns.findall(r"[A-Za-z_]\w*", f.formula)) - names
        if missing:
            listed = ", ".join(sorted(missing))
            raise NotUnderstood(f"{f.name} is computed from {listed}, which is not a column")


def _by_chance(field: Field) -> bool:
    """Whether the field is surely random; equally likely labels may be an ordinary list."""
    of = field.distribution
    return of is not None and (of.family != "categorical" or len(set(of.weights)) > 1)


_BEYOND = re.compile(
    r"\b(?:depend(?:s|ing|ent)? (?:on|upon)|if|unless|except|conditional\w*|given that|proportional|"
    r"(?:increas|decreas|grow|ris)\w* with|(?:higher|lower|older|younger|more|less) (?:for|in|among)|varies|by (?:gender|group|region|category|department)|"
    r"for (?:men|women|males|females|each|every)|per (?:group|region|category|department)|such that|heterosced\w*|auto-?correlat\w*|markov|"
    r"random walk|brownian|missing|outliers?|nulls?|copula|hierarch\w*|nested|clusters?|process(?:es)?|about (?:the |an? )?(?:normal|poisson|gaussian|uniform|binomial|exponential)|"
    r"outcome|logistic|probability of \w+ing|happens?|likely to)\b",
    re.I,
)


# A request that counts one of these nouns wants words, which no program can write.
_WORDS_ARE_WANTED = frozenset(
    """idea tip question slide haiku poem story persona example recipe headline tweet post paragraph
    sentence word joke quote title slogan name email review essay article summary option suggestion
    step reason way fact bullet topic keyword phrase caption letter message note page chapter
    exercise problem flashcard lesson goal plan strategy prompt line verse riddle analogy""".split()
)


_TEXT = (
    r"\b(?:(?:full|first|last|company|product|user|customer|middle)[ _]?names?|names?(?!d| of)|e-?mails?(?: address(?:es)?)?|phone(?: numbers?)?|(?:street )?address(?:es)?|cit(?:y|ies)|"
    r"countr(?:y|ies)|job titles?|occupations?|descriptions?|bios?|biograph(?:y|ies)|comments?|reviews?(?: text)?|feedback|summar(?:y|ies)|notes?|usernames?|urls?|"
    r"websites?|compan(?:y|ies)(?! size| age| revenue)|slogans?|testimonials?|backstor(?:y|ies)|zip(?: codes?)?|postcodes?)\b"
)


_ID = r"\b(?:(?:unique|sequential|auto-?increment(?:ing)?|distinct)\s++)?(?:(?P<what>\w+)[ _])?(?P<id>ids?|identifiers?|uuids?)\b(?:\s*+(?:like|such as|e\.g\.|starting (?:with|at|from))\s*+[\"']?(?P<like>[A-Za-z]+[-_]?)?\d+[\"']?)?"


_LISTS = re.compile(
    r"\b(?:with|including|include|containing|columns?|fields?|attributes|having|where)\b\s*+:?"
)


def _undescribed_column(left: Words, text: str) -> str:
    """A column that a list names but does not describe; "" if there is none."""
    start = _LISTS.search(text)
    if start is None:
        return ""
    for item in patterns.finditer(r"[^,;:\n.()]+", left.text[start.end() :]):
        spend()
        for part in patterns.split(r"\band\b|\bor\b|\bplus\b", item[0]):
            words_of_item = part.strip().lower().split()
            bare = [word for word in words_of_item if word not in _ARTICLES]
            original = text[start.end() + item.start() : start.end() + item.end()]
            if (
                1 <= len(bare) <= 3
                and all(map(naming.is_a_name, bare))
                and original.split() == item[0].split()
            ):
                return " ".join(bare)
    return ""


_ARTICLES = frozenset({"a", "an", "the", "their", "its", "each", "some", "random", "also", "both"})


def _plain_columns(words: Words) -> list[Field]:
    """Ids and columns of text, which need no distribution."""
    names: set[str] = set()
    fields: list[Field] = []
    for match in words.take_all(_ID):
        what = (match["what"] or "").lower()
        name = f"{singular(what)}_id" if what and singular(what) in naming.ENTITIES else "id"
        role_prefix = match["like"] or ("uuid" if match["id"].lower().startswith("uuid") else "")
        if name not in names:
            names.add(name)
            fields.append(Field(name, "id", unique=True, prefix=role_prefix))
    for match in words.take_all(_TEXT):
        name = column_name(match[0].replace("e-mail", "email"))
        name = (
            "email" if name.startswith("email") else "phone" if name.startswith("phone") else name
        )
        if name not in names and not any(k.endswith("_" + name) for k in names):
            names.add(name)
            fields.append(Field(name, "text"))
    return fields


def _related(
    fields: list[Field], related: list[Correlation], shared: Distribution | None
) -> tuple[list[Field], list[Correlation]]:
    """Match the names in correlations to fields, and add a field for each other name."""
    made = list(fields)
    kept: list[Correlation] = []
    for relation in related:
        first, second = (_matching_name(name, made) for name in (relation.first, relation.second))
        missing = [
            n for n in (first, second) if n not in {f.name for f in made if f.role == "number"}
        ]
        if len(missing) == 2 or shared is not None:
            of = shared or Distribution("normal", {"mean": 0.0, "sd": 1.0})
            made += [Field(name, "number", of) for name in missing]
        elif missing:
            made.append(_follower(missing[0]))
        kept.append(replace(relation, first=first, second=second))
        if not -1 <= relation.value <= 1:
            raise NotUnderstood(f"a correlation of {relation.value:g} lies outside -1 to 1")
    return made, kept


def _matching_name(name: str, fields: list[Field]) -> str:
    names = [f.name for f in fields]
    if name in names:
        return name
    near = [
        n
        for n in names
        if n.endswith("_" + name) or name.endswith("_" + n) or n.startswith(name + "_")
    ]
    return near[0] if len(near) == 1 else name


_SIZES = re.compile(r"size|employees?|headcount|staff|count|quantity|units")


def _follower(name: str) -> Field:
    """A field without a distribution: its values follow the column that it correlates with."""
    size = bool(_SIZES.search(name))
    return Field(name, low=1.0 if size else None, decimals=0 if size else None)
