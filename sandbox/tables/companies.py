"""Companies: industries, of the United States."""

from sandbox.tables.table import Table, whole_table


def industries() -> Table:
    """Sectors of the economy by the number of people who work in them."""
    return whole_table("industries")
