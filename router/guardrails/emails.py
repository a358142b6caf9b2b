"""Finds email addresses in a text.

Each `@` is looked at once, with bounded text before and after it. The address of a server (as `git`
and `ssh` write it), a picture's size in its name and a unit of systemd are no addresses of mail.
An address may also be spelled: `jane (at) example (dot) org`, `jane.doe at example dot org`.
"""

import re
from collections.abc import Iterator

_LETTERS = "A-Za-z0-9À-ÖØ-öø-ɏͰ-ϿЀ-ӿ"
_LOCAL = frozenset("._%+'-&!#$*/=?^`{|}~")
_LETTER = re.compile(f"[{_LETTERS}]")
_DOMAIN = re.compile(
    rf"(?:[{_LETTERS}](?:[{_LETTERS}_-]{{0,61}}[{_LETTERS}])?\.){{1,8}}"
    r"(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿ]{2,24})(?![A-Za-z0-9_])"
)
_AFTER_A_SERVER = re.compile(r":(?:[A-Za-z0-9~._-]{1,100})?/|:[A-Za-z~][A-Za-z0-9_.~-]{0,100}\.git")
_SHELL = re.compile(
    r"(?:ssh|scp|sftp|rsync|mosh)(?:\s{1,3}-[A-Za-z]{1,3}(?:\s\S{1,60})?){0,4}\s{1,3}$"
)
_PICTURE = re.compile(r"\d(?:\.\d)?x\.")
_NO_DOMAINS = ("png", "jpg", "jpeg", "gif", "svg", "webp", "service", "socket", "timer", "target")
_LONGEST_LOCAL = 64

_AT = re.compile(
    r"\s{0,2}(?:[\[({<]\s?(?:at|arroba|@)\s?[\])}>])\s{0,2}|\s(?:at|arroba)\s", re.IGNORECASE
)
_HOST = rf"[{_LETTERS}](?:[{_LETTERS}-]{{0,61}}[{_LETTERS}])?"
_DOT = r"(?:\s{0,2}[\[({<]\s?(?:dot|punto|\.)\s?[\])}>]\s{0,2}|\s(?:dot|punto)\s|\.)"
_ENDING = r"[A-Za-z]{2,24}(?![A-Za-z0-9_])"
_SPELLED_DOMAIN = re.compile(rf"{_HOST}(?:{_DOT}{_HOST}){{0,3}}{_DOT}({_ENDING})", re.IGNORECASE)
_SPELLED_LOCAL = re.compile(
    rf"[{_LETTERS}_](?:[{_LETTERS}._%+-]{{0,62}}[{_LETTERS}_])?"
    rf"(?:{_DOT}[{_LETTERS}_][{_LETTERS}_-]{{0,40}}){{0,2}}$",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"\b(?:e-?mails?|mail me|addresse?s?|contact|correo|direcci[oó]n)\b[^\n.]{0,20}$", re.IGNORECASE
)
_COMMON = (
    "com org net edu gov info io dev ai app co uk de es fr it nl at ch eu us ca au mx ar cl br pt "
    "pl se no dk fi ie be in jp"
)
_ENDINGS = frozenset(_COMMON.split())  # of the domains of a bare `at`


def emails_in(text: str) -> Iterator[tuple[int, int]]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        start = _start(text, at)
        if domain is not None and start < at and not _is_server(text, start, at, domain):
            yield start, domain.end()
        at = text.find("@", at + 1)
    yield from _spelled(text)


def spells_one(text: str) -> bool:
    """Whether a word in the text may stand for the `@` of an address."""
    return _AT.search(text) is not None


def _spelled(text: str) -> Iterator[tuple[int, int]]:
    """The addresses whose `@` is written as a word. A bare `at` is one only beside a spelled dot
    and the ending of a domain, and after what looks like the name of a mailbox."""
    for at in _AT.finditer(text):
        domain = _SPELLED_DOMAIN.match(text, at.end())
        if domain is None:
            continue
        before = max(at.start() - 2 * _LONGEST_LOCAL, 0)
        local = _SPELLED_LOCAL.search(text[before : at.start()])
        if local is None:
            continue
        start = before + local.start()
        if at.group().strip().isalpha() and not _plainly_mail(text, start, local.group(), domain):
            continue
        yield start, domain.end()


def _plainly_mail(text: str, start: int, local: str, domain: re.Match[str]) -> bool:
    spelled = re.search(r"\s(?:dot|punto)\s|[\[({<]", domain.group(), re.IGNORECASE)
    if spelled is None or domain.group(1).lower() not in _ENDINGS:
        return False
    named = re.search(r"[\d._\s]", local) is not None
    return named or _ANNOUNCED.search(text, max(start - 60, 0), start) is not None


def _start(text: str, at: int) -> int:
    """Where the part before the `@` begins; `at` if there is none."""
    if at >= 2 and text[at - 1] == '"' and (quote := text.rfind('"', max(at - 66, 0), at - 1)) >= 0:
        inside = text[quote + 1 : at - 1]
        if inside and "\n" not in inside and "@" not in inside:
            return quote + 1  # a quoted part; the quotes themselves stay
    start = at
    least = max(at - _LONGEST_LOCAL, 0)
    while start > least and (text[start - 1] in _LOCAL or _LETTER.match(text[start - 1])):
        start -= 1
    if start >= 1 and text[start - 1] == "\\" and start < at:
        start += _escape(text, start)
    while start < at and not (_LETTER.match(text[start]) or text[start] == "_"):
        start += 1
    # Signs that mail allows, but that part an address from the text before it far more often.
    cut = max(text.rfind(sign, start, at) for sign in "/=?{|}#$*&!`^")
    if cut >= 0 and cut + 1 < at:
        start = cut + 1
        while start < at and not (_LETTER.match(text[start]) or text[start] == "_"):
            start += 1
    return start


def _escape(text: str, start: int) -> int:
    """The length of JSON's escape that ends in front of an address in a text of JSON, `\\n`."""
    if text[start] in "nrtbf":
        return 1
    return (
        5 if text[start] == "u" and re.match(r"[0-9a-fA-F]{4}", text[start + 1 : start + 5]) else 0
    )


def _is_server(text: str, start: int, at: int, domain: re.Match[str]) -> bool:
    name = domain.group()
    if name.rpartition(".")[2].lower() in _NO_DOMAINS or _PICTURE.match(name):
        return True
    if text[start:at] == "git" or _AFTER_A_SERVER.match(text, domain.end()):
        return True
    return _SHELL.search(text, max(start - 120, 0), start) is not None
