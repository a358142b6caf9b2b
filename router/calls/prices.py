"""TODO: what this module promises."""

from router.config.values import Price
from router.domain import Request, Usage
from router.request.text import prompt_text, tokens_in


def estimated(request: Request, answer_bytes: int) -> Usage:
    return Usage(tokens_in(prompt_text(request.fields)), answer_bytes // 4, estimated=True)


def priced(price: Price, usage: Usage) -> float:
    return price.cost_usd(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
    )
