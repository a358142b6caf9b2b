"""Reads requests of the family `probability`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
