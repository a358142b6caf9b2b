"""Reads requests of the family `inference`: tests, intervals and sizes from summaries."""

from dataclasses import replace

from sandbox.reading import mean_questions, rate_questions, size_questions
from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = tuple(
    replace(rule, words="chance")
    for rule in (*mean_questions.RULES, *rate_questions.RULES, *size_questions.RULES)
)
