"""The formats that JSON Schema names: email, date, uri and others. Only the form is checked."""

import datetime as dt
import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

from jsonschema import FormatChecker

FORMATS = FormatChecker(formats=())
EXAMPLES = {
    "email": "ann@example.org", "uri": "https://example.org", "date": "2026-01-31",
    "date-time": "2026-01-31T10:00:00Z", "time": "10:00:00", "phone": "+1 212 555 0100",
    "uuid": "123e4567-e89b-12d3-a456-426614174000", "ipv4": "192.0.2.1", "hostname": "example.org",
}  # fmt: skip
_PATTERNS = {
    "email": r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+|(?:mailto|tel|urn|data):[^\s]+",
    "uri-reference": r"[^\s]*",
    "phone": r"\+?[0-9](?:[\s().x-]{0,3}[0-9]){5,17}",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "hostname": r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
    "ipv4": r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
    "time": r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?",
    "currency": r"[A-Z]{3}",
}


def _register(name: str, holds: Callable[[str], bool]) -> None:
    FORMATS.checks(name)(lambda value: not isinstance(value, str) or holds(value))


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _is_date_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) > 10


def _is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text))
    except AddressValueError:
        return False


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


for _name, _pattern in _PATTERNS.items():
    _register(_name, _matches(_pattern))
_register("date", _is_date)
_register("date-time", _is_date_time)
_register("ipv6", _is_ipv6)
