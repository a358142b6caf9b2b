"""Finds email addresses in a text.

Each `@` is looked at once, with bounded text before and after it. The address of a server (as `git`
and `ssh` write it), a picture's size in its name and a unit of systemd are no addresses of mail.
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


def emails_in(text: str) -> Iterator[tuple[int, int]]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        start = _start(text, at)
        if domain is not None and start < at and not _is_server(text, start, at, domain):
            yield start, domain.end()
        at = text.find("@", at + 1)


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
