"""Companies: industries and sizes, of the United States."""

from sandbox.tables.table import Table, whole_table


def industries() -> Table:
    """Sectors of the economy by the number of people who work in them."""
    return whole_table("industries")


def company_industries() -> Table:
    """Industry groups by the number of places where companies work."""
    return whole_table("company_industries")


def company_sizes() -> Table:
    """Firms by their number of employees."""
    return whole_table("company_sizes")
