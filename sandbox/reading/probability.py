"""Reads requests of the family `probability`."""

from sandbox.reading import distribution_questions
from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = (*distribution_questions.RULES,)
