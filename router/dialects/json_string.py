"""Reads one string of a JSON object while the object still arrives. Pure."""

import re

import orjson

_BEFORE = re.compile(r'\s{0,8}\{\s{0,8}"input"\s{0,8}:\s{0,8}"')
_MOST_BEFORE = 64  # characters before the string: what is longer is another object
# Whole characters and escapes; a lone half of a surrogate pair waits for the other half.
_WHOLE = re.compile(
    r'(?:[^"\\]|\\["\\/bfnrt]|\\u(?!d[89ab])[0-9a-f]{4}|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})*+',
    re.IGNORECASE,
)


class InputString:
    """The member `input` of an object that has it first, piece by piece."""

    def __init__(self) -> None:
        self._rest = ""
        self._inside = False
        self.pieces: list[str] = []

    def take(self, written: str) -> str:
        """The further characters of the string that follow from a further piece of JSON."""
        self._rest += written
        if not self._inside:
            match = _BEFORE.match(self._rest[:_MOST_BEFORE])
            if match is None:
                return ""
            self._inside, self._rest = True, self._rest[match.end() :]
        match = _WHOLE.match(self._rest)
        assert match is not None  # the pattern also matches nothing
        whole, self._rest = match.group(), self._rest[match.end() :]
        if not whole:
            return ""
        try:
            text = str(orjson.loads(f'"{whole}"'))
        except orjson.JSONDecodeError:  # a raw control character, which JSON does not allow
            text = whole
        self.pieces.append(text)
        return text
