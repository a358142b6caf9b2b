"""The cost of a call, from the backend's price and the tokens used. Pure functions."""

from router.catalog import Price
from router.domain import Request, Usage


def estimated(request: Request, answer_bytes: int) -> Usage:
    return Usage(request.reading.tokens, answer_bytes // 4, estimated=True)


def priced(price: Price | None, usage: Usage) -> float:
    if price is None:
        return 0.0
    return price.cost_usd(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
    )
