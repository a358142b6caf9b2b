"""The programs of the family `inference`."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {}
