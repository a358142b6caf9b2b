"""The rules for money: loans, growth of savings, flows of payments, prices and percentages."""

from sandbox.reading import growth, loans, prices

RULES = (*loans.RULES, *growth.RULES, *prices.RULES)
