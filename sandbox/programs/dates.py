"""The programs of the family `dates`."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {}
