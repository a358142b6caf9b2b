"""Settings of stored files and of the batches that the service carries out."""

from pydantic import Field

from router.config.values import Values


class FileSettings(Values):
    """What callers may store by /v1/files."""

    largest_bytes: int = Field(64 * 2**20, ge=1024, le=2**30, description="of one upload")
    quota_bytes: int = Field(2**30, ge=1024, description="of all files of one key together")
    keep_days: float = Field(
        30.0, gt=0, le=3650, description="a file goes after so many days, unless its upload says"
    )


class BatchSettings(Values):
    """How batches of /v1/batches are carried out, beside the callers who wait."""

    concurrency: int = Field(
        4, ge=1, le=1000, description="lines under way at once, of all batches together"
    )
    lines: int = Field(50_000, ge=1, le=10_000_000, description="most lines of one batch")
    open: int = Field(100, ge=1, description="most batches of one key that have not ended")
