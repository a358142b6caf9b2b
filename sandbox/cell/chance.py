"""Seeds every source of randomness in a program with the seed of its run.

The zygote replaces the sources (`install`), so that a worker only sets the seed.
"""

import hashlib
import itertools
import os
import random
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Chance:
    """The seed of this process, and what was drawn from it."""

    number: int
    stream: Iterator[int]
    generators: Iterator[int]  # how many of `random.Random` were made without a seed
    family: Any = None  # numpy's seed sequence, once a generator without a seed was made


def _chance_of(number: int) -> _Chance:
    return _Chance(number, _stream(number), itertools.count(1))


def _stream(number: int) -> Iterator[int]:
    for count in itertools.count():
        yield from hashlib.blake2b(b"%d:%d" % (number, count)).digest()


_here = _chance_of(0)


class SeededRandom(random.Random):
    def __init__(self, x: Any = None) -> None:
        super().__init__(f"{_here.number}:{next(_here.generators)}" if x is None else x)


def install() -> None:
    """Replace the sources of randomness of all libraries that are loaded."""
    os.urandom = _urandom
    vars(random)["_urandom"] = _urandom
    uuid.uuid1 = lambda *_, **__: uuid.uuid4()
    random.Random = SeededRandom  # type: ignore[misc]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        _replace_default_rng(numpy)


def seed(number: int) -> None:
    global _here
    _here = _chance_of(number)
    random.seed(number)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(number % 2**32)


def _urandom(count: int) -> bytes:
    return bytes(itertools.islice(_here.stream, count))


def _replace_default_rng(numpy: Any) -> None:
    real, sequence = numpy.random.default_rng, numpy.random.SeedSequence

    def default_rng(seed: Any = None) -> Any:
        if seed is not None:
            return real(seed)
        if _here.family is None:  # the first generator has the run's seed; later ones differ
            _here.family = sequence(_here.number % 2**64)
            return real(_here.family)
        return real(_here.family.spawn(1)[0])

    numpy.random.default_rng = default_rng
