"""Reads the lists of models that servers give, one function a dialect. Pure.

A list is written by somebody else: what is odd in it is left out, a model whose name could command
anything too. What a list does not say stays unknown.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.catalog import Price
from router.config.values import Capability

_NAME = re.compile(r"[A-Za-z0-9/.~][A-Za-z0-9._:/@+ -]{0,199}")
_MOST = 5000  # models of one list


class NoList(ValueError):
    """The document is no list of models in this dialect."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a server says about one of its models; None is what it does not say."""

    model: str
    created: float = 0.0
    chat: bool | None = None
    context_window: int | None = None
    window_note: str = ""
    capabilities: tuple[Capability, ...] | None = None
    price: Price | None = None
    logprobs: bool | None = None
    size: float = 0.0  # billions of parameters
    served: str = ""  # the model behind a deployment of another name
    owner: str = ""


Row = Mapping[str, Any]


def openai(answer: Any) -> list[Listed]:
    """OpenAI, Groq, DeepSeek, and most others."""
    return listed_in(rows_of(answer, "data"), _openai)


def mistral(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _mistral)


def anthropic(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _anthropic)


def gemini(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "models"), _gemini)


def xai(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "models"), _xai)


def openrouter(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _openrouter)


def together(answer: Any) -> list[Listed]:
    return listed_in(
        rows_of({"data": answer} if isinstance(answer, list) else answer, "data"), _together
    )


def fireworks(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _fireworks)


def azure(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _azure)


def _openai(row: Row) -> Listed:
    window = count(row.get("context_window")) or count(row.get("max_model_len"))
    meta = row.get("meta")
    trained = count(meta.get("n_ctx_train")) if isinstance(meta, dict) else None
    size = count(meta.get("n_params")) if isinstance(meta, dict) else None
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat=False if row.get("active") is False else None,
        context_window=window or trained,
        size=(size or 0) / 1e9,
        owner=str(row.get("owned_by")),
    )


def _mistral(row: Row) -> Listed:
    uses = row.get("capabilities")
    uses = uses if isinstance(uses, dict) else {}
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat=bool(uses["completion_chat"]) if "completion_chat" in uses else None,
        context_window=count(row.get("max_context_length")),
        capabilities=abilities(
            tools=bool(uses.get("function_calling")), images=bool(uses.get("vision"))
        )
        if uses
        else None,
    )


def _anthropic(row: Row) -> Listed:
    return Listed(str(row.get("id")), time_of(row.get("created_at")), chat=True)


def _gemini(row: Row) -> Listed:
    methods = row.get("supportedGenerationMethods")
    return Listed(
        str(row.get("name")).removeprefix("models/"),
        chat="generateContent" in methods if isinstance(methods, list) else None,
        context_window=count(row.get("inputTokenLimit")),
    )


def _xai(row: Row) -> Listed:
    takes, gives = texts(row.get("input_modalities")), texts(row.get("output_modalities"))
    prompt, completion = row.get("prompt_text_token_price"), row.get("completion_text_token_price")
    # The unit is a cent for a hundred million tokens.
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat="text" in gives if gives else None,
        capabilities=abilities(tools=True, images="image" in takes) if takes else None,
        price=_price(prompt, completion, row.get("cached_prompt_text_token_price"), unit=1e-4),
    )


def _openrouter(row: Row) -> Listed:
    kinds, rates = row.get("architecture"), row.get("pricing")
    kinds = kinds if isinstance(kinds, dict) else {}
    rates = rates if isinstance(rates, dict) else {}
    takes, gives = texts(kinds.get("input_modalities")), texts(kinds.get("output_modalities"))
    knows = texts(row.get("supported_parameters"))
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat=gives == ["text"] if gives else None,
        context_window=count(row.get("context_length")),
        capabilities=abilities(tools="tools" in knows, images="image" in takes),
        price=_price(
            rates.get("prompt"), rates.get("completion"), rates.get("input_cache_read"),
            rates.get("input_cache_write"), unit=1e6,
        ),
        logprobs="logprobs" in knows,
    )  # fmt: skip


def _together(row: Row) -> Listed:
    rates = row.get("pricing")
    rates = rates if isinstance(rates, dict) else {}
    price = _price(rates.get("input"), rates.get("output"), unit=1)
    free = price is not None and not (price.input or price.output)
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat=row.get("type") == "chat" if "type" in row else None,
        context_window=count(row.get("context_length")),
        price=None if free else price,  # models that are not served by the token say 0
    )


def _fireworks(row: Row) -> Listed:
    says = "supports_tools" in row
    tools, images = bool(row.get("supports_tools")), bool(row.get("supports_image_input"))
    return Listed(
        str(row.get("id")),
        _number(row.get("created")),
        chat=bool(row["supports_chat"]) if "supports_chat" in row else None,
        context_window=count(row.get("context_length")),
        capabilities=abilities(tools=tools, images=images) if says else None,
    )


def _azure(row: Row) -> Listed:
    ready = row.get("status") in ("succeeded", None)
    served = row.get("model")
    return Listed(
        str(row.get("id")),
        _number(row.get("created_at")),
        chat=None if ready else False,
        served=served if isinstance(served, str) and _NAME.fullmatch(served) else "",
    )


def cursor(answer: Any, more: str, key: str) -> str:
    """Where the next page begins; empty after the last page."""
    row = answer if isinstance(answer, dict) else {}
    text = row.get(key) if row.get(more) else ""
    return text if isinstance(text, str) else ""


def rows_of(answer: Any, key: str) -> list[Any]:
    rows = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise NoList(f"answered with JSON that has no list `{key}`")
    return rows


def listed_in(rows: list[Any], read: Callable[[Row], Listed]) -> list[Listed]:
    return list(_sound(rows, read))


def _sound(rows: list[Any], read: Callable[[Row], Listed]) -> Iterator[Listed]:
    for row in rows[:_MOST]:
        if isinstance(row, dict):
            listed = read(row)
            if _NAME.fullmatch(listed.model) and listed.model != "None":
                yield listed


def abilities(*, tools: bool, images: bool) -> tuple[Capability, ...]:
    extra: tuple[Capability, ...] = (
        *(("tools",) if tools else ()),
        *(("images",) if images else ()),
    )
    return ("chat", *extra, "json")


def _price(
    prompt: Any, completion: Any, cached: Any = None, written: Any = None, *, unit: float
) -> Price | None:
    rates = [_rate(each, unit) for each in (prompt, completion)]
    if rates[0] is None or rates[1] is None:
        return None
    return Price(
        input=rates[0],
        output=rates[1],
        cached_input=_rate(cached, unit) or None,
        cache_write=_rate(written, unit) or None,
    )


def _rate(value: Any, unit: float) -> float | None:
    """Dollars per million tokens; None if the value is no sensible rate."""
    try:
        rate = float(value) * unit
    except (TypeError, ValueError):
        return None
    return round(rate, 6) if 0 <= rate < 1e6 else None


def count(value: Any) -> int | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53
    return value if sound else None


def _number(value: Any) -> float:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11
    return float(value) if sound else 0.0


def time_of(value: Any) -> float:
    try:
        return dt.datetime.fromisoformat(str(value)[:19]).replace(tzinfo=dt.UTC).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
