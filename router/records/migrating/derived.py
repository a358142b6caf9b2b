"""Rules for fields that are a part of a source's field, or several of them joined. Pure."""

from collections.abc import Mapping, Sequence

from router.records.migrating import numbers
from router.records.migrating.converting import conversion
from router.records.migrating.fields import Column, Leaf, Steps, share_of, step
from router.records.migrating.mapping import Choice, FieldRule
from router.records.migrating.meaning import KeyPath, likeness
from router.records.migrating.texts import surname_first, unsure_name

_LEAST_SHARE = 0.3
_JOIN_SHARE = 0.8
_PARTS_OF_ADDRESS = ("street", "city", "postcode", "region", "country")
Made = Mapping[KeyPath, FieldRule]


def derived_rules(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """Rules that split, join or look into fields; only for targets that no field gives whole."""
    rules: dict[KeyPath, FieldRule] = {}
    for find in (
        _names,
        _whole_name,
        _addresses,
        _whole_address,
        _currency,
        _mailbox,
        _split,
    ):
        for rule in find(source, target, {**made, **rules}):
            rules[rule.to] = rule
    return list(rules.values())


def _is(leaf_or_column: Leaf | Column, *names: str, least: float = 0.8) -> bool:
    whole, last = " ".join(leaf_or_column.path), leaf_or_column.path[-1]
    return any(max(likeness(whole, name), likeness(last, name)) >= least for name in names)


def _open(leaf: Leaf, made: Made) -> bool:
    return leaf.path not in made or bool(made[leaf.path].question)


def _free(source: Sequence[Column], made: Made, target: Sequence[Leaf]) -> list[Column]:
    """Columns that no rule of another field reads as they are."""
    used = {path for rule in made.values() for path in rule.sources if not rule.question}
    return [column for column in source if column.path not in used and target]


def _names(source: Sequence[Column], target: Sequence[Leaf], _: Made) -> list[FieldRule]:
    firsts = [f for f in target if _is(f, "first name", "given name", "first", least=0.95)]
    lasts = [f for f in target if _is(f, "last name", "surname", "apellidos", "last", least=0.9)]
    firsts += [f for f in target if lasts and f not in firsts and f.path[-1].lower() == "nombre"]
    if not firsts or not lasts or any(_is(c, "last name", "apellidos", least=0.9) for c in source):
        return []
    rules = []
    for leaf, part in ((firsts[0], "first name"), (lasts[0], "last name")):
        for column in source:
            if not _is(column, "full name", "name", "nombre completo", "contact name"):
                continue
            spanish = column.spanish and any(len(t.split()) > 2 for t in column.texts)
            turned, certain = surname_first(column.texts)
            steps: Steps = (step(part, spanish=spanish, surname_first=turned),)
            if turned and not certain:
                usual: Steps = (step(part, spanish=spanish),)
                first = column.texts[0]
                rules.append(
                    FieldRule(
                        leaf.path,
                        question=f"Does the surname stand first in {first!r:.40} and the others?",
                        choices={
                            "surname first": Choice((column.path,), steps),
                            "first name first": Choice((column.path,), usual),
                        },
                    )
                )
                break
            if share_of(steps, column, leaf.schema) >= _LEAST_SHARE:
                unsure = [t for t in column.texts if unsure_name(t)]
                warning = (
                    f"names of more than two words are split, such as {unsure[0]!r:.40}"
                    if unsure
                    else ""
                )
                rules.append(
                    FieldRule(
                        leaf.path,
                        (column.path,),
                        steps,
                        because="a part of the full name",
                        warning=warning,
                    )
                )
                break
    return rules if len(rules) == 2 else []


def _whole_name(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    first = [c for c in source if _is(c, "first name", "given name", "first", least=0.95)]
    last = [c for c in source if _is(c, "last name", "surname", "apellidos", "last", least=0.9)]
    first = first or [c for c in source if last and c.path[-1].lower() == "nombre"]
    wanted = [f for f in target if _is(f, "name", "full name", "nombre completo", "customer name")]
    parts = [f for f in target if _is(f, "first name", "last name", least=0.95)]
    if not (first and last and wanted) or parts:
        return []
    pair = (first[0].path, last[0].path)
    taken = {made[leaf.path].sources for leaf in target if leaf.path in made}
    if wanted[0].path in made and made[wanted[0].path].sources[:1] not in (
        (pair[0],),
        (pair[1],),
        (),
    ):
        return []
    if (pair[0],) in taken and made.get(wanted[0].path, FieldRule(())).sources != (pair[0],):
        return []
    return [FieldRule(wanted[0].path, pair, (step("join", by=" "),), because="first and last name")]


def _addresses(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    parts = {p: [f for f in target if _is(f, p, least=0.9)] for p in _PARTS_OF_ADDRESS}
    present = [p for p, fields in parts.items() if fields]
    if len(present) < 2:
        return []
    rules = []
    for column in source:
        if not _is(column, "address", "full address", "direccion", "location") or not any(
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
        f for f in target if f.kind == "string" and _is(f, "address", "full address", least=0.9)
    ]
    if len(wanted) != 1 or not _reads_at_most_a_part(wanted[0], made):
        return []
    free = _free(source, {k: v for k, v in made.items() if k != wanted[0].path}, target)
    parts = [
        next((c for c in free if _is(c, p, least=0.9)), None)
        for p in ("street", "postcode", "city", "country")
    ]
    paths = tuple(column.path for column in parts if column is not None)
    if len(paths) < 2 or any(
        _is(c, "address", "full address", least=0.95) for c in source if c.path not in paths
    ):
        return []
    join = (step("join", by=", "),)
    return [FieldRule(wanted[0].path, paths, join, because="the parts of the address")]


def _reads_at_most_a_part(leaf: Leaf, made: Made) -> bool:
    return leaf.path not in made or made[leaf.path].because != "same name"


def _currency(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    wanted = [f for f in target if _is(f, "currency", "moneda", least=0.9)]
    if len(wanted) != 1 or not _open(wanted[0], made):
        return []
    for column in source:
        codes = {code for text in column.texts if (code := numbers.currency_in(text))}
        steps: Steps = (step("currency", otherwise=wanted[0].schema.get("const", "")),)
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
            elif made.get(leaf.path, FieldRule(())).sources == (column.path,) and _is(leaf, "name"):
                part = step("part", by="<", number=1, of=2)
                rules.append(FieldRule(leaf.path, (column.path,), (part,), because="a part"))
        return rules
    return []


def _split(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """Fields side by side that no column gives, from the parts of one column: `10x20x30`."""
    groups: dict[KeyPath, list[Leaf]] = {}
    for leaf in target:
        if _open(leaf, made) and "const" not in leaf.schema:
            groups.setdefault(leaf.path[:-1], []).append(leaf)
    rules: list[FieldRule] = []
    for fields in groups.values():
        for column in _free(source, {**made, **{r.to: r for r in rules}}, target):
            for by in ("x", "\u00d7", ",", ";", "/", "|", " - ", "-"):
                split = _parts(column, fields, by) if 2 <= len(fields) <= 4 else []
                if split:
                    rules += split
                    break
            else:
                continue
            break
    return rules


def _parts(column: Column, fields: Sequence[Leaf], by: str) -> list[FieldRule]:
    count = len(fields)
    if sum(len(text.split(by)) == count for text in column.texts) < _JOIN_SHARE * len(column.tried):
        return []
    rules = []
    for at, leaf in enumerate(fields, 1):
        first = step("part", by=by, number=at, of=count)
        pieces = [t.split(by)[at - 1].strip() for t in column.texts if len(t.split(by)) == count]
        its = conversion(leaf, Column(column.path, tuple(pieces)))
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
