"""What calls cost: tokens of a prompt, of an answer, read from a provider's cache or written to it,
and what is not counted in tokens, such as images.

A price may have tiers: a call whose prompt is longer than a tier's `above` pays the tier's rates
for all of its tokens, as the providers count. No price is invented: where a price is unknown there
is no `Price`, and a `Price` of zero says that a call is free.

Not covered: prices by the hour of the day or a call; sound that costs more than text; a
cache that is kept for an hour.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Dollars = Annotated[float, Field(ge=0)]


class Rates(BaseModel):
    """Dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = Field(None, description="default: the price of input")
    cache_write: Dollars | None = Field(None, description="default: the price of input")

    @property
    def dearest_input(self) -> float:
        return max(self.input, self.cached_input or 0.0, self.cache_write or 0.0)

    def cost(self, fresh: int, output: int, cached: int, written: int) -> float:
        """Dollars of tokens that were read anew, answered, read from a cache and written to it."""
        reading = self.input if self.cached_input is None else self.cached_input
        writing = self.input if self.cache_write is None else self.cache_write
        dollars = fresh * self.input + output * self.output + cached * reading + written * writing
        return dollars / 1e6


class PriceAbove(Rates):
    """The rates of calls with long prompts."""

    above: int = Field(ge=1, description="in tokens: a longer prompt pays these rates for all")


Unit = Literal["image", "minute", "characters", "search"]


class Price(Rates):
    """Dollars per million tokens, also for calls with long prompts, and dollars of what is not
    counted in tokens. A unit with a price of its own is not charged by its tokens as well."""

    tiers: tuple[PriceAbove, ...] = ()
    image: Dollars | None = Field(None, description="dollars per image that is made")
    minute: Dollars | None = Field(None, description="dollars per minute of transcribed sound")
    characters: Dollars | None = Field(None, description="dollars per million spoken characters")
    search: Dollars | None = Field(None, description="dollars per search of /v1/rerank")

    @model_validator(mode="after")
    def _rising(self) -> "Price":
        bounds = [tier.above for tier in self.tiers]
        if any(later <= earlier for earlier, later in pairwise(bounds)):
            raise ValueError(f"tiers must rise, and their bounds are {bounds}: sort them")
        return self

    def unit_usd(self, unit: Unit) -> float | None:
        """Dollars of one image, minute, character or search; None if tokens are charged."""
        usd: float | None = getattr(self, unit)
        return usd / 1e6 if usd is not None and unit == "characters" else usd

    @property
    def free(self) -> bool:
        """Whether nothing costs anything."""
        rates = (self.input, self.output, self.image, self.minute, self.characters, self.search)
        return not self.tiers and not any(rates)

    def rates(self, input_tokens: int) -> Rates:
        """The rates of a call with a prompt of this length."""
        return next((t for t in reversed(self.tiers) if input_tokens > t.above), self)

    def cost_usd(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        written_tokens: int = 0,
    ) -> float:
        """Dollars of one call. Cached and written tokens are part of the input tokens."""
        cached = min(cached_tokens, input_tokens)
        written = min(written_tokens, input_tokens - cached)
        fresh = input_tokens - cached - written
        return self.rates(input_tokens).cost(fresh, output_tokens, cached, written)

    def most_usd(self, *, input_tokens: int, output_tokens: int) -> float:
        """The most that a call of at most these tokens can cost, whatever a cache does."""
        reachable = [self, *(tier for tier in self.tiers if input_tokens > tier.above)]
        reading = max(rates.dearest_input for rates in reachable)
        answering = max(rates.output for rates in reachable)
        return (input_tokens * reading + output_tokens * answering) / 1e6


FREE = Price(input=0.0, output=0.0)
STAND_IN = Price(input=5.0, output=25.0)  # of a strong model in 2026


def dearest(prices: Iterable[Price | None]) -> Price:
    """What stands in for an unknown price where plans are compared: the dearest known price, and a
    strong model's if nothing known costs anything. No bill has this price."""
    costly = [price for price in prices if price is not None and price.input + price.output > 0]
    return max(costly, key=lambda price: price.input + price.output, default=STAND_IN)
