"""The phrases by which questions name a column: its words, their meanings, its values. Pure."""

from collections.abc import Iterator, Sequence

from router.knowledge.rows.language.column_words import (
    DATE_WORDS,
    IDENTIFIERS,
    KEYS,
    SMALL,
    WEAK,
    name_words,
)
from router.knowledge.rows.language.doers import held_forms, names_people, verbs_of
from router.knowledge.rows.language.names import Names
from router.knowledge.rows.language.profile import Field
from router.knowledge.rows.language.stems import stem
from router.knowledge.rows.language.value_names import value_phrases
from router.knowledge.rows.language.words import (
    Phrase,
    Sense,
    canonical,
    concept_kind,
    concepts_of,
    only_asked,
    opposites,
    pieces,
    unit_of_word,
    weak_in_names,
    words_of_unit,
)
from router.request.plain import folded

_PRICED = frozenset(("weight", "distance", "area_size", "duration", "quantity", "night"))

_YEAR_VERBS = {
    canonical(noun): verbs
    for noun, verbs in {
        "publication": ("published", "publicado"),
        "published": ("published", "publicado"),
        "release": ("released",),
        "construction": ("built",),
    }.items()
}
_PLAIN = frozenset(("time", "tim", "total", "spent", "taken", "worked", "sold", "number", "net"))
_VALUES = frozenset(("valor", "valu"))
_ASKING = frozenset(
    map(
        canonical,
        (
            *("how", "who", "when", "where", "which", "what", "como", "quien", "cuando", "for"),
            *("sin", "not", "no", "without", "non", "never", "and", "or", "y", "o"),
            *("to", "from", "with", "as", "into", "is", "has", "was", "para", "con", "que", "se"),
        ),
    )
)
_AREAS = frozenset(("m2", "ha", "acres", "hectares", "hectareas", "sqm", "sqft"))
_GENDERED = ("ada", "ado", "ida", "ido", "ica", "ico", "iva", "ivo")  # `vendida`, `vendido`


def name_column(names: Names, each: Field, *, weaker: int) -> None:
    words = [canonical(word) for word in name_words(each.name)]
    content = [word for word in words if word not in SMALL]
    if each.dated:
        content = [word for word in content if word not in DATE_WORDS] or content
    concepts = _concepts(each, words, content, names.row_words)
    if not concepts and names_people(each, words):
        concepts = frozenset(("agent",))
    names.concepts[each.sql] = concepts

    def sense(strength: int) -> Sense:
        return Sense("col", each, strength - weaker)

    dates = each.dated and names.row_words.issuperset(content)  # `visits` is no `visit_date`
    wholes = (words, [w for w in words if w not in SMALL], *([] if dates else [content]))
    for whole in wholes:
        names.add(whole, sense(9))
    if not dates:
        written = [canonical(word) for word in pieces(each.name) if word.isalnum()]
        if len(written) >= len(words):  # `mins` is minutes; `m2` is cut as m, 2
            names.add(written, sense(9))
    if each.dated:
        for first, second in (("date", "of"), ("date", "de"), ("fecha", "de"), ("fecha", "of")):
            names.add((first, second, *content), sense(9))
        names.add((*content, "date"), sense(9))
    _name_joined(names, each, content, weaker)
    for word, strength in _parts_of(names, each, content):
        names.add(word, sense(strength))
    _name_participles(names, each, content, weaker)
    for verb in verbs_of(words) if "agent" in concepts else ():
        names.add((verb,), sense(2))
    _name_concepts(names, each, content, weaker)
    for phrase, named in value_phrases(each, concepts):
        names.add(phrase, Sense(named.kind, named.value, named.strength - weaker))


def _name_joined(names: Names, each: Field, content: Sequence[str], weaker: int) -> None:
    """Name a column by its two words as speech joins them: `plaza de garaje`, `picked up`."""
    if len(content) != 2 or each.dated:
        return
    first, last = content
    spoken: list[tuple[Phrase, int]] = []
    if WEAK.isdisjoint(content):  # `number of orders` is no `order_number`
        spoken += [((first, "de", last), 9), ((last, "of", first), 9)]
    elif {first, last} & _VALUES and not names.row_words & {first, last}:
        noun = last if first in _VALUES else first
        spoken += [(("valor", "de", noun), 9), (("valu", "of", noun), 9)]  # as names are compared
    if last in ("up", "off", "out", "in"):
        spoken += [((first + "ed", last), 3), ((first + last,), 8)]
    if last in ("year", "ano"):
        spoken += [((verb,), 2) for verb in _YEAR_VERBS.get(first, ())]
    for phrase, strength in spoken:
        names.add(phrase, Sense("col", each, strength - weaker))


def _name_concepts(names: Names, each: Field, content: Sequence[str], weaker: int) -> None:
    """Name a column by what its name stands for, and by verbs of the same stem."""
    concepts = names.concepts[each.sql]

    def sense(strength: int) -> Sense:
        return Sense("col", each, strength - weaker)

    _name_kin(names, each, content, weaker)
    for phrase, shared in concepts_of().items():
        if shared & concepts:
            kin = any(word[:4] == phrase[0][:4] for word in content)  # signups for signed_up
            exact = "price" in shared & concepts and len(content) == 1  # not `closing price`
            strength = 2 if phrase in only_asked() else 5 if kin else 3
            names.add(phrase, sense(strength + (exact and not kin)))
    if "area_size" in concepts:
        names.add(("size",), sense(3))
    for concept in concepts & opposites().keys():
        for phrase in opposites()[concept]:
            names.add(phrase, Sense("un_col", each, 5 - weaker))


def _name_kin(names: Names, each: Field, content: Sequence[str], weaker: int) -> None:
    """Name a column by its unit, by the other gender of its name, and by verbs of its stem."""
    concepts = names.concepts[each.sql]

    def sense(strength: int) -> Sense:
        return Sense("col", each, strength - weaker)

    rate = "price" in concepts or {"per", "por"} & {*name_words(each.name)}
    units = {unit_of_word(word) for word in pieces(each.name)} - {""}
    for unit in units if each.numeric and not rate else ():
        for word in words_of_unit(unit):
            names.add((word,), sense(3))  # `hectares`, of `area (ha)`
    if each.column.kind == "boolean" or each.dated:
        for word in content:
            if word.endswith(_GENDERED):
                names.add((word[:-1] + ("o" if word.endswith("a") else "a"),), sense(6))
    for value in each.values if "status" in concepts else ():
        if stem(folded(value)):
            named = Sense("val", (each, value), 3 - weaker)
            names.stems.setdefault(stem(folded(value)), []).append(named)  # `se cancelaron`
    for word in content:
        if stem(word) and word not in WEAK:
            names.stems.setdefault(stem(word), []).append(sense(2))
            if word.endswith(("or", "er")) and stem(word[:-2] + "e"):  # `supervise`
                names.stems.setdefault(stem(word[:-2] + "e"), []).append(sense(2))


def _name_participles(names: Names, each: Field, content: Sequence[str], weaker: int) -> None:
    for form in _charged(each, content):
        names.add((form,), Sense("col", each, 2 - weaker))
    for form in held_forms(each, content) if each.dated or each.column.kind == "text" else ():
        held = Sense("col", each, 4 - weaker) if each.dated else Sense("held", each, 3 - weaker)
        names.add((form,), held)
        names.add(("last", form), held)


def _charged(each: Field, content: Sequence[str]) -> Iterator[str]:
    """The participle of a column of numbers: `charged`, for `charge`."""
    if each.numeric and len(content) == 1 and len(content[0]) > 4 and content[0] not in WEAK:
        yield content[0] + "ed"


def _parts_of(names: Names, each: Field, content: Sequence[str]) -> Iterator[tuple[Phrase, int]]:
    """The words of a column's name that name it alone, and how surely."""
    if len(content) < 2:
        return
    entity = names.words_for(each.table)
    if content[0] in entity:
        yield tuple(content[1:]), 8
    key = bool(KEYS & {*content})
    linked = any(link.source.sql == each.sql for link in names.links)
    rate = names.has(each, "price") or {"per", "por"} & {*name_words(each.name)}
    for word in content:
        if word in _ASKING or (rate and unit_of_word(word)):
            continue  # `kg` is no name for `price_kg`, nor `how` for `how_paid`
        weak = word in WEAK
        if (weak and word not in ("name", "nombr") and word not in KEYS) or (
            word in entity and (key or each.unique or word == content[0])
        ):
            continue
        if key and word not in KEYS:
            if not linked:
                yield (word,), 1
            continue
        yield (word,), 4 if weak else 6
        if each.numeric and not weak:
            yield (word + "ed",), 2  # delayed, for `delay_min`


def _concepts(
    each: Field, words: Sequence[str], content: Sequence[str], rows: set[str]
) -> frozenset[str]:
    asked_only = only_asked()
    by_phrase = concepts_of()
    result: set[str] = set()
    whole = tuple(map(canonical, pieces(each.name)))  # `m2` is cut as m, 2
    for phrase in {tuple(words), tuple(content), whole}:
        result |= by_phrase.get(phrase, frozenset())
    weak = weak_in_names()
    if words in (["from"], ["desd"], ["to"], ["hasta"]):
        return frozenset(("origin" if words[0] in ("from", "desd") else "destination",))
    plain = weak | rows | _PLAIN
    every = content if all(w in plain or unit_of_word(w) for w in content) else ()
    for listed in ([w for w in content if w not in weak], every):
        if not result:
            for word in listed:
                if word not in WEAK and ((word,) not in asked_only or word in weak):
                    result |= by_phrase.get((word,), frozenset())
    if each.numeric and not _AREAS.isdisjoint(name_words(each.name, whole=True)):
        result.add("area_size")  # `Size m2`
    if each.numeric:
        if IDENTIFIERS & {*name_words(each.name)}:
            return frozenset()  # `donation_id` is no donation
        if "price" in result:
            result -= _PRICED  # `price_kg` is no weight
        return frozenset(result - concept_kind("dated") - concept_kind("event"))
    if each.dated or each.column.kind == "boolean":
        kinds = concept_kind("event") | (concept_kind("dated") if each.dated else frozenset())
        return frozenset(result & kinds)
    return frozenset(
        result - concept_kind("numeric") - concept_kind("dated") - concept_kind("event")
        | (result & {"referred"})
    )
