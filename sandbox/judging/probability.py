"""Works out the figures of the family `probability` again, outside the sandbox and by another way.

A simulated figure is expected as an `Estimate(value, error)` of sandbox.judging.comparison.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.judging import distributions

EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {**distributions.EXPECTED}
IMPOSSIBLE: Mapping[str, Callable[..., str]] = {**distributions.IMPOSSIBLE}
