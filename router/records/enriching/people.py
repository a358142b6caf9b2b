"""Names, user names, email addresses and websites, each derived from the others."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from router.records.enriching.facts import Facts
from router.records.likeness.handles import handle
from router.records.nodes import Node, ShapeLeaf

_DOMAINS = ("example.com", "example.org", "example.net")  # nobody's, so no mail reaches anybody

_NAMES = frozenset(("name", "first_name", "last_name", "username"))
_DESKS = (("info", "hello", "contact"), ("info", "hola", "contacto"))  # of companies
_FORMS = frozenset({"ltd", "inc", "llc", "co", "s", "l", "a", "u", "coop", "cia", "sons", "y"})


def _first_name(facts: Facts, _: Node) -> str | None:
    name = facts.values.get("name")
    return name.split()[0] if isinstance(name, str) and name.split() else None


def _last_name(facts: Facts, _: Node) -> str | None:
    name = facts.values.get("name")
    return name.split()[-1] if isinstance(name, str) and len(name.split()) > 1 else None


def _name(facts: Facts, _: Node) -> str | None:
    first, last = facts.values.get("first_name"), facts.values.get("last_name")
    parts = [part for part in (first, last) if isinstance(part, str) and part]
    if not parts:
        return None
    if len(parts) == 1:
        kind = "last_name" if first else "first_name"
        other = str(facts.maker.make(ShapeLeaf(kind)))
        facts.values[kind] = other
        parts = [parts[0], other] if first else [other, parts[0]]
    return " ".join(parts)


def _words(text: Any) -> list[str]:
    """The words of a text in lower-case ASCII, without accents."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain.lower())


def _both_names(facts: Facts) -> tuple[str, str]:
    """The first and the last name of the record's person, as far as they are there."""
    first, last = (str(facts.values.get(key) or "") for key in ("first_name", "last_name"))
    whole = str(facts.values.get("name") or "").split()
    return first or " ".join(whole[:1]), last or " ".join(whole[1:2])


def _dotted_name(facts: Facts) -> str:
    """The record's name as `ann.smith`; empty if the record has no name."""
    names = (facts.values.get(key) for key in ("first_name", "last_name"))
    return ".".join(_words(facts.values.get("name") or " ".join(str(n) for n in names if n)))


def _email(facts: Facts, _: Node) -> str | None:
    user, form = facts.values.get("username"), facts.form
    mailbox = _dotted_name(facts) or (str(user).lower() if user else "")
    if form is not None and form.same and user:
        mailbox = str(user)
    elif form is not None and form.mailbox:
        mailbox = handle(form.mailbox, *_both_names(facts)) or mailbox
    if not mailbox and not _NAMES & {*facts.nodes, *facts.values}:
        site = facts.values.get("domain") or (
            _domain(facts, _) if facts.values.get("website") else ""
        )
        box = facts.random.choice(_DESKS[facts.language == "es"])
        return f"{box}@{site}" if site else None
    domains = form.domains if form is not None and form.domains else _DOMAINS
    domain = facts.values.get("domain") or facts.random.choice(domains)
    return f"{mailbox}@{domain}" if re.fullmatch(r"[\w.+-]+", mailbox) else None


def _username(facts: Facts, _: Node) -> str | None:
    email = facts.values.get("email")
    if isinstance(email, str) and "@" in email:
        return email.split("@")[0]
    if facts.form is not None and facts.form.handle and all(_both_names(facts)):
        return handle(facts.form.handle, *_both_names(facts))
    name = _dotted_name(facts)
    return f"{name.replace('.', '_')}{facts.random.randint(1, 99)}" if name else None


def _domain(facts: Facts, _: Node) -> str | None:
    for key in ("website", "email"):
        address = facts.values.get(key)
        if isinstance(address, str) and "." in address:
            return re.sub(r"^(?:.*@|https?://(?:www\.)?)|/.*$", "", address)
    words = [word for word in _words(facts.values.get("company") or "") if word not in _FORMS]
    return f"{'-'.join(words)}.example" if words else None


def _website(facts: Facts, node: Node) -> str | None:
    domain = facts.values.get("domain") or _domain(facts, node)
    return f"https://www.{domain}" if domain else None


PEOPLE: Mapping[str, Callable[[Facts, Node], Any]] = {
    "first_name": _first_name,
    "last_name": _last_name,
    "name": _name,
    "email": _email,
    "username": _username,
    "domain": _domain,
    "website": _website,
}
