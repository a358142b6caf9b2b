"""Texts that match a pattern, made from its parts. Not all is covered: the caller checks."""

import importlib
from random import Random
from typing import Any

_MOST_REPEATS = 6
_PRINTED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CLASSES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": _PRINTED, "CATEGORY_SPACE": " "}


def text_like(pattern: str, chance: Random) -> str:
    """A text for a pattern; empty if the pattern has parts that cannot be written out."""
    parser = importlib.import_module("re._parser")
    try:
        return _sequence(parser.parse(pattern), chance)
    except (ValueError, RecursionError, LookupError):
        return ""
    except Exception as error:  # `re.error` and others of the parser
        if type(error).__name__ in ("error", "PatternError", "OverflowError"):
            return ""
        raise


def _sequence(parts: Any, chance: Random) -> str:
    return "".join(_part(str(kind), value, chance) for kind, value in parts)


def _part(kind: str, value: Any, chance: Random) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "ANY":
            return chance.choice(_PRINTED)
        case "NOT_LITERAL":
            return chance.choice([mark for mark in _PRINTED if mark != chr(value)])
        case "IN":
            return chance.choice(_members(value))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            count = chance.randint(least, min(int(most), max(least, _MOST_REPEATS)))
            return "".join(_sequence(inner, chance) for _ in range(count))
        case "SUBPATTERN":
            return _sequence(value[-1], chance)
        case "BRANCH":
            return _sequence(chance.choice(value[1]), chance)
        case "AT":
            return ""
    raise ValueError(kind)


def _members(parts: Any) -> list[str]:
    members: list[str] = []
    negated = False
    for kind, value in parts:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                members.append(chr(value))
            case "RANGE":
                members += [
                    chr(code) for code in range(value[0], min(value[1], value[0] + 200) + 1)
                ]
            case "CATEGORY":
                members += _CLASSES[str(value)]
    return [mark for mark in _PRINTED if mark not in members] if negated else members
