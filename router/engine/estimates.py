"""Estimates what a call will use before the call is made, and learns from the calls that ended.

The likely use rests on the means of a backend's earlier calls. The most that a call can use is
exact for an answer that the caller bounds with `max_tokens`. Where nothing bounds a figure, the
tokens rest on the largest recent figure; the dollars also assume one token for each byte of the
prompt, and an answer of 16,384 tokens: calls that seem cheap must not open a door for dear ones,
side by side, on the last dollar of a key.

Not covered: an answer without `max_tokens` that is longer than any estimate. Its excess counts once
it is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from router.budgets import Amounts, Claim
from router.calls.measures import units_usd
from router.catalog import Price
from router.config.config import Config
from router.domain import Request, Trace

_LONG_ANSWER = 16_384  # tokens; the longest answer of many models that are asked without a bound
_WRITING = frozenset({"chat", "completions"})  # operations whose answers cost tokens
_OF_TEXT = frozenset({"chat", "completions", "embeddings"})  # whose prompts are texts alone
_MEDIA = frozenset({"image_url", "input_audio", "file"})
_MEDIA_TOKENS = 1500  # of one image, sound or file
_DIGITS = 20
_TEMPLATE_TOKENS = 256  # what a backend may add to a prompt
_ENOUGH = 8  # calls after which the largest recent figure counts
_MOST_TOKENS = 2**40  # a larger `max_tokens` counts as this


@dataclass(slots=True)
class _Figure:
    """The mean of a figure, and its largest recent value."""

    mean: float
    count: int = 0
    largest: float = 0.0  # fades, so that one very large value does not count for ever

    def learn(self, value: float) -> None:
        self.count += 1
        self.mean += (value - self.mean) / min(self.count, 20)
        self.largest = max(value, self.largest - 0.02 * (self.largest - self.mean))


@dataclass(slots=True)
class _Calls:
    """What the calls of one backend used."""

    answer: _Figure = field(default_factory=lambda: _Figure(0.0))  # tokens of one choice
    prompt: _Figure = field(default_factory=lambda: _Figure(1.0))  # by our own estimate


class _Tokens(NamedTuple):
    """The tokens of a prompt or of an answer: likely, at most, and at most where dollars count."""

    likely: int
    most: int
    priced: int

    def times(self, factor: int) -> "_Tokens":
        return _Tokens(self.likely * factor, self.most * factor, self.priced * factor)


class Estimates:
    def __init__(self) -> None:
        self._calls: dict[str, _Calls] = {}

    def learn(self, trace: Trace) -> None:
        """Learn from the token counts that backends reported for this request."""
        request = trace.request
        if request.operation not in _OF_TEXT:
            return
        for attempt in trace.attempts:
            usage = attempt.usage
            if attempt.fault or usage.estimated or not usage.input_tokens:
                continue
            calls = self._calls.setdefault(attempt.backend, _Calls())
            if request.operation in _WRITING:
                calls.answer.learn(usage.output_tokens / _choices(request.fields))
            if not attempt.role:  # a step of a plan has another prompt than the request
                tokens = _prompt_tokens(request.body, request.fields)
                calls.prompt.learn(usage.input_tokens / tokens)

    def claim(self, config: Config, chain: tuple[str, ...], request: Request, body: bytes) -> Claim:
        """The likely use of the chain's first backend, and the most of any backend in the chain."""
        fields = request.fields if body is request.body else _fields(body)
        claims = [
            self._claim(backend, config.backends[backend].price, request, body, fields)
            for backend in chain
        ]
        most = Amounts.spent(
            max(claim.most.tokens for claim in claims), max(claim.most.usd for claim in claims)
        )
        return Claim(claims[0].likely, most)

    def _claim(
        self,
        backend: str,
        price: Price | None,
        request: Request,
        body: bytes,
        fields: Mapping[str, Any],
    ) -> Claim:
        calls = self._calls.get(backend, _Calls())
        texts = _words_of_form(fields) if request.media else body
        prompt = _prompt(calls.prompt, texts, fields)
        answer = _Tokens(0, 0, 0)
        if request.operation in _WRITING:
            answer = _answer(calls.answer, fields).times(_choices(fields))
        likely_usd = most_usd = 0.0  # an unknown price is left out; see `KeyLimits.unpriced`
        dollars = None if price is None else units_usd(price, request)
        if dollars is not None:
            likely_usd, most_usd = dollars.likely, dollars.most
        elif price is not None:
            likely_usd = price.cost_usd(input_tokens=prompt.likely, output_tokens=answer.likely)
            most_usd = price.most_usd(input_tokens=prompt.priced, output_tokens=answer.priced)
        return Claim(
            Amounts.spent(prompt.likely + answer.likely, likely_usd),
            Amounts.spent(prompt.most + answer.most, most_usd),
        )


def _words_of_form(fields: Mapping[str, Any]) -> bytes:
    """The words of a form: its files are not read as text."""
    return " ".join(value for value in fields.values() if isinstance(value, str)).encode()


def _prompt(figure: _Figure, body: bytes, fields: Mapping[str, Any]) -> _Tokens:
    tokens = _prompt_tokens(body, fields)
    # No byte of a text is more than one token. The data of an image is not read as text.
    bound = 4 * tokens + _TEMPLATE_TOKENS
    learned = int(1.25 * figure.largest * tokens) if figure.count >= _ENOUGH else bound
    return _Tokens(int(figure.mean * tokens), learned, max(bound, learned))


def _prompt_tokens(body: bytes, fields: Mapping[str, Any]) -> int:
    """An estimate of a prompt's tokens. All bytes of the body count, because tools and schemas cost
    tokens too; images and files count by their number."""
    count, characters = 0, 0
    messages = fields.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind in _MEDIA:
                count += 1
                characters += _characters(part[kind]) if kind in part else 0
    return max(len(body) - characters, 0) // 4 + 1 + count * _MEDIA_TOKENS


def _characters(media: Any) -> int:
    """The length of the data of an image or a file."""
    values = media.values() if isinstance(media, dict) else (media,)
    return sum(len(value) for value in values if isinstance(value, str))


def _answer(figure: _Figure, fields: Mapping[str, Any]) -> _Tokens:
    # A backend may follow either field, so the larger counts.
    bound = max(_whole(fields, "max_completion_tokens"), _whole(fields, "max_tokens"))
    if bound:
        return _Tokens(min(int(figure.mean), bound), bound, bound)
    most = int(2 * figure.largest) if figure.count >= _ENOUGH else _LONG_ANSWER
    return _Tokens(int(figure.mean), most, max(most, _LONG_ANSWER))


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _choices(fields: Mapping[str, Any]) -> int:
    """How many answers a backend writes for one request."""
    prompts = fields.get("prompt")  # of a completion, which may have several
    several = isinstance(prompts, list) and bool(prompts) and not isinstance(prompts[0], int)
    texts = len(prompts) if isinstance(prompts, list) and several else 1
    return max(_whole(fields, "n"), _whole(fields, "best_of"), 1) * texts


def _whole(fields: Mapping[str, Any], name: str) -> int:
    """A positive whole number in a field, written in any way that a backend may accept; else 0."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1:
        return 0
    return int(min(value, _MOST_TOKENS))
