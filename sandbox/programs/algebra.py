"""The programs of the family `algebra`."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {}
