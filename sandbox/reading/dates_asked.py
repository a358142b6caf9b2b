"""Reads requests of the family `dates`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
