"""Reads requests of the family `records`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
