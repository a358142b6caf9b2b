"""Reads requests of the family `figures`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
