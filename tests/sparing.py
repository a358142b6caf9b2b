"""What `make test` leaves to `make slow`: all cases but the first few, and most drawn examples."""

from collections.abc import Iterable

import pytest
from hypothesis import settings

_ALL = 100  # examples of a property under the profile of `make slow`, which is Hypothesis' default


def slow_after(quick: int, cases: Iterable) -> list:
    """The cases of a parametrized test, those after the first few marked `slow`.

    A case of several arguments is a tuple.
    """
    return [case if n < quick else _slow(case) for n, case in enumerate(cases)]


def _slow(case):
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)


def draws(examples: int) -> settings:
    """So many examples in `make slow`, and as much less in `make test` as of any property."""
    return settings(max_examples=max(examples * settings().max_examples // _ALL, 1))
