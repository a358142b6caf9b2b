"""The programs of the family `probability`."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {}
