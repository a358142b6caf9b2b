"""Reads requests of the family `algebra`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
