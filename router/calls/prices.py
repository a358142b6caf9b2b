"""The cost of a call, from the backend's price and the tokens used. Pure functions."""

from router.catalog import Price
from router.domain import Request, Usage


def estimated(request: Request, answer_bytes: int) -> Usage:
    return Usage(request.reading.tokens, answer_bytes // 4, estimated=True)


def priced(price: Price | None, usage: Usage) -> float | None:
    """Dollars of a call; None if the price is unknown. What used no tokens cost nothing."""
    if price is None:
        return None if usage.input_tokens or usage.output_tokens else 0.0
    return price.cost_usd(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        written_tokens=usage.written_tokens,
    )


def unpriced_problem(backend: str, ceiling_usd: float) -> str:
    """Why a backend without a price is not called below a ceiling, and the mend."""
    return (
        f"the price of {backend} is unknown, and the ceiling is ${ceiling_usd:.6g}: give it a "
        f"`price` below backends.{backend}, or ask without a ceiling"
    )
