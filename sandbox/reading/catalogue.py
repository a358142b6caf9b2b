"""All rules, family by family."""

from sandbox.reading import (
    algebra,
    dates_asked,
    durations,
    figures,
    finance,
    inference,
    probability,
    records,
    units,
)
from sandbox.reading.rules import Rule

RULES: tuple[Rule, ...] = (
    *figures.RULES,
    *records.RULES,
    *probability.RULES,
    *inference.RULES,
    *finance.RULES,
    *dates_asked.RULES,
    *durations.RULES,
    *units.RULES,
    *algebra.RULES,
)
