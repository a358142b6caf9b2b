"""Reads requests of the family `units`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
