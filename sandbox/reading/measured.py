"""Words that say what is measured or done, such as `weigh`; they change no probability."""

import tomllib
from functools import cache
from importlib.resources import files

from sandbox.reading.lexicon import stem


@cache
def measured_words() -> frozenset[str]:
    """The stems of these words, in English and Spanish."""
    text = (files("sandbox.reading") / "measured.toml").read_text(encoding="utf-8")
    return frozenset(stem(word) for listed in tomllib.loads(text).values() for word in listed)
