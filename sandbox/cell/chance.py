"""Seeds every source of randomness in a program with the seed of its run."""

import hashlib
import itertools
import os
import random
import sys
import uuid
from collections.abc import Iterator
from typing import Any


def seed(number: int) -> None:
    stream = _stream(number)

    def urandom(count: int) -> bytes:
        return bytes(itertools.islice(stream, count))

    os.urandom = urandom
    vars(random)["_urandom"] = urandom
    uuid.uuid1 = lambda *_, **__: uuid.uuid4()
    random.seed(number)
    random.Random = _seeded_random(number)  # type: ignore[misc]
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        _seed_numpy(numpy, number)


def _stream(number: int) -> Iterator[int]:
    for count in itertools.count():
        yield from hashlib.blake2b(b"%d:%d" % (number, count)).digest()


def _seeded_random(number: int) -> Any:
    made = itertools.count(1)

    class SeededRandom(random.Random):
        def __init__(self, x: Any = None) -> None:
            super().__init__(f"{number}:{next(made)}" if x is None else x)

    return SeededRandom


def _seed_numpy(numpy: Any, number: int) -> None:
    numpy.random.seed(number % 2**32)
    real, family = numpy.random.default_rng, numpy.random.SeedSequence(number % 2**64)
    made = itertools.count()

    def default_rng(seed: Any = None) -> Any:
        if seed is None:  # the first generator has the run's seed; later generators differ
            return real(family if next(made) == 0 else family.spawn(1)[0])
        return real(seed)

    numpy.random.default_rng = default_rng
