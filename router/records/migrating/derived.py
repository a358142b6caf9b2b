"""Rules for fields that are a part of a source's field, or several of them joined. Pure."""

from collections.abc import Mapping, Sequence

from router.records.catalogue.naming import words_of
from router.records.migrating import numbers
from router.records.migrating.converting import conversion
from router.records.migrating.derived_names import is_meant, name_joined, names_split
from router.records.migrating.fields import Column, Leaf, Steps, share_of, step
from router.records.migrating.mapping import Choice, FieldRule
from router.records.migrating.meaning import KeyPath, likeness
from router.records.migrating.units import currency_of_name

_LEAST_SHARE = 0.3
_JOIN_SHARE = 0.8
_PARTS_OF_ADDRESS = ("street", "city", "postcode", "region", "country")
Made = Mapping[KeyPath, FieldRule]


def derived_rules(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """Rules that split, join or look into fields; only for targets that no field gives whole."""
    rules: dict[KeyPath, FieldRule] = {}
    for find in (
        names_split,
        name_joined,
        _addresses,
        _whole_address,
        _currency,
        _mailbox,
        _split,
    ):
        for rule in find(source, target, {**made, **rules}):
            rules[rule.to] = rule
    return list(rules.values())


def _open(leaf: Leaf, made: Made) -> bool:
    return leaf.path not in made or bool(made[leaf.path].question)


def _free(source: Sequence[Column], made: Made, target: Sequence[Leaf]) -> list[Column]:
    """Columns that no rule of another field reads as they are."""
    used = {path for rule in made.values() for path in rule.sources if not rule.question}
    return [column for column in source if column.path not in used and target]


def _addresses(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    parts = {p: [f for f in target if is_meant(f, p, least=0.9)] for p in _PARTS_OF_ADDRESS}
    present = [p for p, fields in parts.items() if fields]
    if len(present) < 2:
        return []
    rules = []
    for column in source:
        if not is_meant(column, "address", "full address", "direccion", "location") or not any(
            "," in t or "\n" in t for t in column.texts
        ):
            continue
        for part in present:
            leaf = parts[part][0]
            reads = made[leaf.path].sources if leaf.path in made else ()
            if reads not in ((), (column.path,)):
                continue
            steps: Steps = (step("address", part=part),)
            if "pattern" in leaf.schema:
                steps = (*steps, step("fit", pattern=leaf.schema["pattern"]))
            if share_of(steps, column, leaf.schema) >= _LEAST_SHARE:
                rules.append(
                    FieldRule(leaf.path, (column.path,), steps, because="a part of the address")
                )
        break
    return rules


def _whole_address(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    wanted = [
        f
        for f in target
        if f.kind == "string" and is_meant(f, "address", "full address", least=0.9)
    ]
    if len(wanted) != 1 or not _reads_at_most_a_part(wanted[0], made):
        return []
    free = _free(source, {k: v for k, v in made.items() if k != wanted[0].path}, target)
    parts = [
        next((c for c in free if is_meant(c, p, least=0.9)), None)
        for p in ("street", "postcode", "city", "country")
    ]
    paths = tuple(column.path for column in parts if column is not None)
    if len(paths) < 2 or any(
        is_meant(c, "address", "full address", least=0.95) for c in source if c.path not in paths
    ):
        return []
    join = (step("join", by=", "),)
    return [FieldRule(wanted[0].path, paths, join, because="the parts of the address")]


def _reads_at_most_a_part(leaf: Leaf, made: Made) -> bool:
    return leaf.path not in made or made[leaf.path].because != "same name"


def _currency(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    wanted = [f for f in target if is_meant(f, "currency", "moneda", least=0.9)]
    if len(wanted) != 1 or not _open(wanted[0], made):
        return []
    for column in source:
        codes = {code for text in column.texts if (code := numbers.currency_in(text))}
        otherwise = currency_of_name(column.path[-1]) or wanted[0].schema.get("const", "")
        codes |= {currency_of_name(column.path[-1])} - {""}
        steps: Steps = (step("currency", otherwise=otherwise),)
        if codes and share_of(steps, column, wanted[0].schema) >= _LEAST_SHARE:
            return [
                FieldRule(wanted[0].path, (column.path,), steps, because="the sign of the amount")
            ]
    return []


def _mailbox(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """An address of mail, and the name before it, from `Ann Lee <ann@example.org>`."""
    for column in source:
        if not column.all_texts(lambda text: "<" in text and "@" in text):
            continue
        rules = []
        for leaf in target:
            if leaf.schema.get("format") == "email" and _open(leaf, made):
                rules.append(
                    FieldRule(leaf.path, (column.path,), (step("email"),), because="a part")
                )
            elif made.get(leaf.path, FieldRule(())).sources == (column.path,) and is_meant(
                leaf, "name"
            ):
                part = step("part", by="<", number=1, of=2)
                rules.append(FieldRule(leaf.path, (column.path,), (part,), because="a part"))
        return rules
    return []


def _split(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """Fields side by side that no column gives, from the parts of one column: `10x20x30`."""
    groups: dict[KeyPath, list[Leaf]] = {}
    for leaf in target:
        if (_open(leaf, made) or _holds_the_parent(leaf, made)) and "const" not in leaf.schema:
            groups.setdefault(leaf.path[:-1], []).append(leaf)
    rules: list[FieldRule] = []
    for fields in groups.values():
        others = {path: rule for path, rule in made.items() if path not in {f.path for f in fields}}
        free = _free(source, {**others, **{r.to: r for r in rules}}, target)
        for column in free:
            done = {rule.to for rule in rules}
            left = [leaf for leaf in fields if leaf.path not in done]
            split = _some_parts(column, left)
            texts = [leaf for leaf in left if any(leaf.path == rule.to for rule in split)]
            plain = all(leaf.kind == "string" and not leaf.choosy for leaf in texts)
            # A text is not split while each of the fields could have a whole one.
            if split and not (plain and len(free) >= sum(leaf.required for leaf in left)):
                rules += split
    return rules


def _holds_the_parent(leaf: Leaf, made: Made) -> bool:
    """Whether a field got what is named like the object above it: `location` for its aisle."""
    sources = made[leaf.path].sources
    if len(leaf.path) < 2 or len(sources) != 1:
        return False
    name = sources[0][-1]
    return likeness(name, leaf.path[-2]) >= 0.9 and likeness(name, leaf.path[-1]) < 0.6


def _some_parts(column: Column, fields: Sequence[Leaf]) -> list[FieldRule]:
    """The rules for all of these fields, or for the only few of one kind that fit."""
    amounts = sum(bool(numbers.decimal_marks(text)) for text in column.texts)
    for by in ("x", "\u00d7", ",", ";", "/", "|", " - ", "-"):
        if by == "," and 2 * amounts >= len(column.tried):
            continue  # `9,99` is one number
        counts = [len(text.split(by)) for text in column.texts]
        size = max(sorted(set(counts)), key=counts.count, default=0)
        if not 2 <= size <= 4 or size > len(fields):
            continue
        if size == len(fields):
            windows = [fields]
        else:
            runs = [fields[at : at + size] for at in range(len(fields) - size + 1)]
            windows = [run for run in runs if len({leaf.kind for leaf in run}) == 1]
        splits = [(run, split) for run in windows if (split := _parts(column, run, by))]
        akin = [pair for pair in splits if _share_a_word(pair[0])]
        for pairs in (splits, akin):
            if len(pairs) == 1:
                return pairs[0][1]
    return []


def _share_a_word(fields: Sequence[Leaf]) -> bool:
    words = [set(words_of(leaf.path[-1])) for leaf in fields]
    return bool(set.intersection(*words))


def _parts(column: Column, fields: Sequence[Leaf], by: str) -> list[FieldRule]:
    count = len(fields)
    if sum(len(text.split(by)) == count for text in column.texts) < _JOIN_SHARE * len(column.tried):
        return []
    rules = []
    lasts = {numbers.unit_in(t.split(by)[-1]) for t in column.texts if len(t.split(by)) == count}
    unit = lasts.pop() if len(lasts) == 1 else ""  # of all parts: `30x20x10 cm`
    path = (*column.path[:-1], f"{column.path[-1]}_{unit}" if unit else column.path[-1])
    for at, leaf in enumerate(fields, 1):
        first = step("part", by=by, number=at, of=count)
        pieces = [t.split(by)[at - 1].strip() for t in column.texts if len(t.split(by)) == count]
        its = conversion(leaf, Column(path, tuple(pieces)))
        if its.share < _JOIN_SHARE:
            return []
        if its.question:
            choices = {
                label: Choice((column.path,), (first, *steps))
                for label, steps in its.choices.items()
            }
            rules.append(FieldRule(leaf.path, question=its.question, choices=choices))
            continue
        warning = f"{column.name} is split at {by!r} in the order of the schema"
        rules.append(
            FieldRule(
                leaf.path, (column.path,), (first, *its.steps), because="a part", warning=warning
            )
        )
    return rules
