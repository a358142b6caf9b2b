"""The rules for money: loans, growth of savings, flows of payments, prices and percentages."""

from sandbox.reading import flows, forms, growth, loans, prices

RULES = (*loans.RULES, *growth.RULES, *flows.RULES, *prices.RULES, *forms.RULES)
