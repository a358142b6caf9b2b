"""Settings of the stores of knowledge: what feeds them, how they are indexed, whose they are."""

from typing import Annotated

from pydantic import Field, model_validator

from router.config.knowledge_access import Span, StoreAccess
from router.config.values import Name, Values

TABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
TABLE_RULE = "a table's name is at most 63 letters, digits and `_`, the first no digit"
TableName = Annotated[str, Field(pattern=TABLE_PATTERN)]


class TableQuery(Values):
    """A table of a store that is the result of a query, which runs on a schedule."""

    sql: str = Field(min_length=1, max_length=20_000, description="one SELECT, for DuckDB")
    database: str | None = Field(
        None,
        min_length=1,
        description="a .duckdb or .sqlite file, a folder of CSV and Parquet files, "
        "or postgres://... by its extension; the query reads its tables by name",
    )
    every: Span = Field("1h", description="a time such as 15m, 1h or 1d")


MULTILINGUAL = "multilingual"  # as the encoder of a store: the one of sixteen languages


class StoreSettings(StoreAccess):
    """One store of documents and rows."""

    folder: str | None = Field(
        None,
        min_length=1,
        description="watched: .md .txt .html .pdf .xml (feeds) and source code are documents, "
        ".csv .parquet .jsonl are tables; null: fed by /v1/knowledge alone",
    )
    encoder: str | None = Field(
        None,
        description="model folder, or multilingual; default: multilingual if most of the store is "
        "Spanish, else all-MiniLM-L6-v2",
    )
    queries: dict[TableName, TableQuery] = Field(
        default_factory=dict, description="tables that are the results of queries, by their names"
    )
    versions: int = Field(
        5, ge=1, le=1000, description="versions of a document that are kept, the newest included"
    )
    stale_days: float | None = Field(
        90,
        ge=1,
        le=3650,
        description="days without a reader after which archiving is proposed to the owner; "
        "null: never",
    )

    @model_validator(mode="after")
    def _one_name_each(self) -> "StoreSettings":
        names = [name.lower() for name in self.queries]
        if len(set(names)) < len(names):
            raise ValueError("two queries make the same table: case makes no difference")
        return self


Stores = dict[Name, StoreSettings]
