"""A small store of rows, with what an attacker would write into cells, for tests."""

import sqlite3
from pathlib import Path

from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import Run, TableSchema

LOANS = """Loan No.,reader_id,title,genre,taken_on,returned_on,fine,renewed
L-1,R-1,Dune,Fiction,2024-01-10,2024-02-01,€0.00,no
L-2,R-1,Emma,Fiction,2024-02-11,,€2.50,yes
L-3,R-2,Cosmos,Science,2024-03-05,2024-03-20,€1.00,no
L-4,R-3,Walden,Essay,2023-03-09,,€4.00,no
L-5,R-2,Dune,Fiction,2023-12-24,2024-01-08,€0.00,yes
L-6,R-1,"'); DROP TABLE rows_loans; --",Essay,2024-03-30,2024-04-02,€0.50,no
"""
READERS = """reader_id;name;town;age;joined
R-1;Ana Ruiz;Cádiz;31;05/03/2021
R-2;Ben Cole;York;64;17/11/2022
R-3;Eva Sol;Cádiz;58;28/02/2021
R-4;Tom Bell;Ávila;19;13/06/2023
"""


def rows_store(folder: Path) -> tuple[list[TableSchema], Run, Path]:
    """The tables, what runs queries on them, and the file that holds them."""
    path = folder / "store.sqlite"
    connection = sqlite3.connect(path)
    with connection:
        tables = [
            write_table(connection, csv_table(name, text), f"rows_{name}")
            for name, text in (("loans", LOANS), ("readers", READERS))
        ]
        connection.execute("CREATE TABLE secrets (word TEXT)")
        connection.execute("INSERT INTO secrets VALUES ('hidden')")
    connection.close()
    return tables, runner(path, tables), path
