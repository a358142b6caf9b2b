"""Reads requests of the family `inference`."""

from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = ()
