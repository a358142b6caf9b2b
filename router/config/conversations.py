"""Settings of the memory of conversations: whether, how long and how much Waggle keeps."""

from pydantic import Field

from router.config.values import Name, Values


class Conversations(Values):
    """What `POST /v1/responses` and the conversations of OpenAI's API keep, for each key."""

    enabled: bool = Field(True, description="false: nothing is kept, and no kept id is found")
    keep_days: float = Field(
        30.0, gt=0, le=36_500, description="days after its last turn that a conversation is kept"
    )
    max_bytes: int = Field(
        2**30, ge=2**20, description="size of the file; beyond it the oldest conversations go"
    )
    summarizer: Name | None = Field(
        None,
        description="the backend that summarises what no longer fits a window; null: the cheapest "
        "model whose window is long enough",
    )

    @property
    def keep_seconds(self) -> float:
        return 86_400 * self.keep_days
