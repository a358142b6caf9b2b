"""The programs of the family `units`."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {}
