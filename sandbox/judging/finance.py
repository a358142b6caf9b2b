"""Works out the figures of the family `finance` again, outside the sandbox and by another way.

A simulated figure is expected as an `Estimate(value, error)` of sandbox.judging.comparison.
"""

from collections.abc import Callable, Mapping
from typing import Any

EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {}
IMPOSSIBLE: Mapping[str, Callable[..., str]] = {}
