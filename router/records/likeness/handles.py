"""How user names and addresses are made of a name, by examples: `rmoral` of Rocío Moral. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from router.records.catalogue.tables import plain

_FORMS: Mapping[str, Callable[[str, str], str]] = {
    "{first}.{last}": lambda first, last: f"{first}.{last}",
    "{f}{last}": lambda first, last: f"{first[:1]}{last}",
    "{first}{last}": lambda first, last: f"{first}{last}",
    "{first}_{last}": lambda first, last: f"{first}_{last}",
    "{f}.{last}": lambda first, last: f"{first[:1]}.{last}",
    "{first}{l}": lambda first, last: f"{first}{last[:1]}",
    "{last}.{first}": lambda first, last: f"{last}.{first}",
    "{last}{f}": lambda first, last: f"{last}{first[:1]}",
    "{first}-{last}": lambda first, last: f"{first}-{last}",
    "{first}": lambda first, _: first,
    "{last}": lambda _, last: last,
}


@dataclass(frozen=True, slots=True)
class Form:
    """How handles and mailboxes are made, and the domains of addresses; empty where unknown."""

    handle: str = ""
    mailbox: str = ""
    domains: tuple[str, ...] = ()
    same: bool = False  # the mailbox is the user name


def handle(form: str, first: str, last: str) -> str:
    """The handle of a person in this form, in small ASCII letters."""
    words = [
        re.sub(r"[^a-z0-9]", "", plain(name.split()[0])) for name in (first, last) if name.split()
    ]
    if len(words) < 2:
        return words[0] if words else ""
    return _FORMS[form](words[0], words[1])


def form_of(people: Iterable[Mapping[str, str]]) -> Form | None:
    """The form that holds in every example; `people` have first and last, and maybe more."""
    handles: list[tuple[str, str, str]] = []
    boxes: list[tuple[str, str, str]] = []
    domains: list[str] = []
    same: list[bool] = []
    for person in people:
        first, last = person.get("first", ""), person.get("last", "")
        box, _, domain = person.get("email", "").partition("@")
        if domain:
            domains.append(domain)
            boxes.append((first, last, box))
            if person.get("username"):
                same.append(box == person["username"])
        if person.get("username"):
            handles.append((first, last, person["username"]))
    if not handles and not boxes:
        return None
    unique = tuple(dict.fromkeys(domains)) if len(set(domains)) <= 3 else ()
    return Form(_shared(handles), _shared(boxes), unique, bool(same) and all(same))


def _shared(examples: list[tuple[str, str, str]]) -> str:
    named = [(first, last, made) for first, last, made in examples if first and last]
    for form in _FORMS:
        if named and all(handle(form, first, last) == made for first, last, made in named):
            return form
    return ""
