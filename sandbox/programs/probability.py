"""The programs of the family `probability`."""

from collections.abc import Mapping

from sandbox.programs import distributions

PROGRAMS: Mapping[str, str] = {**distributions.PROGRAMS}
