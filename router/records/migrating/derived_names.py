"""Rules that split the name of a person into its parts, or join them. Pure."""

from collections.abc import Mapping, Sequence

from router.records.catalogue.naming import words_of
from router.records.migrating.fields import Column, Leaf, Steps, share_of, step
from router.records.migrating.mapping import Choice, FieldRule
from router.records.migrating.meaning import KeyPath, likeness
from router.records.migrating.texts import surname_first, unsure_name

_LEAST_SHARE = 0.3
Made = Mapping[KeyPath, FieldRule]


def is_meant(leaf_or_column: Leaf | Column, *names: str, least: float = 0.8) -> bool:
    """Whether the name of a field is near one of these names."""
    whole, last = " ".join(leaf_or_column.path), leaf_or_column.path[-1]
    return any(max(likeness(whole, name), likeness(last, name)) >= least for name in names)


def names_split(source: Sequence[Column], target: Sequence[Leaf], _: Made) -> list[FieldRule]:
    """First and last name from a full one; a question where surnames may stand first."""
    firsts = [f for f in target if is_meant(f, "first name", "given name", "first", least=0.95)]
    lasts = [
        f for f in target if is_meant(f, "last name", "surname", "apellidos", "last", least=0.9)
    ]
    if not firsts and not lasts:
        return _parts_of_roles(source, target)
    firsts += [f for f in target if lasts and f not in firsts and f.path[-1].lower() == "nombre"]
    if (
        not firsts
        or not lasts
        or any(
            is_meant(c, "last name", "apellidos", least=0.9)
            and not is_meant(c, "nombre y apellidos", least=0.95)
            for c in source
        )
    ):
        return []
    rules = []
    for leaf, part in ((firsts[0], "first name"), (lasts[0], "last name")):
        for column in source:
            if not is_meant(
                column,
                "full name",
                "name",
                "nombre completo",
                "contact name",
                "nombre y apellidos",
                "apellidos y nombre",
            ):
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
                unsure = next((t for t in column.texts if unsure_name(t)), "")
                split = f"names of more than two words are split, such as {unsure!r:.40}"
                rules.append(
                    FieldRule(
                        leaf.path, (column.path,), steps, because="a part of the full name",
                        warning=split if unsure else "",
                    )
                )  # fmt: skip
                break
    return rules if len(rules) == 2 else []


def _parts_of_roles(source: Sequence[Column], target: Sequence[Leaf]) -> list[FieldRule]:
    """`authorFirst` and `authorLast` from the only field `author`."""
    rules = []
    for leaf in target:
        words = words_of(leaf.path[-1])
        words = words[:-1] if words[-1:] == ["name"] else words
        if words[-1:] not in (["first"], ["last"]) or len(words) < 2:
            continue
        columns = [c for c in source if words_of(c.path[-1]) in (words[:-1], [*words[:-1], "name"])]
        steps: Steps = (step(f"{words[-1]} name"),)
        if len(columns) == 1 and share_of(steps, columns[0], leaf.schema) >= _LEAST_SHARE:
            rules.append(
                FieldRule(leaf.path, (columns[0].path,), steps, because="a part of the name")
            )
    return rules if len(rules) == 2 else []


def name_joined(source: Sequence[Column], target: Sequence[Leaf], made: Made) -> list[FieldRule]:
    """A full name from first and last name."""
    first = [c for c in source if is_meant(c, "first name", "given name", "first", least=0.95)]
    last = [
        c for c in source if is_meant(c, "last name", "surname", "apellidos", "last", least=0.9)
    ]
    first = first or [c for c in source if last and c.path[-1].lower() == "nombre"]
    wanted = [
        f for f in target if is_meant(f, "name", "full name", "nombre completo", "customer name")
    ]
    parts = [f for f in target if is_meant(f, "first name", "last name", least=0.95)]
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
