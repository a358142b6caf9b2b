"""Reads what the servers of a person's own machine say about their models. Pure.

Their windows are those in force: a local server is often started with a smaller window than its
model could have, and cuts longer prompts off or refuses them.
"""

import re
from typing import Any

from router.discovery.listing import (
    Listed,
    Row,
    abilities,
    count,
    listed_in,
    rows_of,
    texts,
    time_of,
)

_WITH_LOGPROBS = (0, 12, 11)  # the first version of Ollama
_OLLAMA_WINDOW = 4096  # if neither the model nor the environment says another


def ollama(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "models"), _ollama)


def lmstudio(answer: Any) -> list[Listed]:
    return listed_in(rows_of(answer, "data"), _lmstudio)


def _ollama(row: Row) -> Listed:
    details = row.get("details")
    details = details if isinstance(details, dict) else {}
    elsewhere = bool(row.get("remote_host"))  # a model of Ollama's cloud, which is not free
    return Listed(
        str(row.get("model") or row.get("name")),
        time_of(row.get("modified_at")),
        chat=False if elsewhere or "bert" in str(details.get("family")) else None,
        size=_billions(details.get("parameter_size")),
    )


def _lmstudio(row: Row) -> Listed:
    kind = row.get("type")
    loaded, most = count(row.get("loaded_context_length")), count(row.get("max_context_length"))
    tools = "tool_use" in texts(row.get("capabilities"))
    return Listed(
        str(row.get("id")),
        chat=kind in ("llm", "vlm") if isinstance(kind, str) else None,
        context_window=loaded or most,
        window_note="as it is loaded" if loaded else "",
        capabilities=abilities(tools=tools, images=kind == "vlm")
        if isinstance(kind, str)
        else None,
        owner=str(row.get("owned_by") or row.get("publisher")),
    )


def knows_logprobs(answer: Any) -> bool:
    """Whether Ollama's `/api/version` is one that says how sure a model was of its tokens."""
    text = str(answer.get("version")) if isinstance(answer, dict) else ""
    numbers = re.match(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", text)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _WITH_LOGPROBS


def shown_by_ollama(
    listed: Listed, answer: Any, window: int | None, *, logprobs: bool = False
) -> Listed:
    """What `/api/show` adds about a model. Ollama cuts longer prompts than its window off."""
    row = answer if isinstance(answer, dict) else {}
    uses, about = texts(row.get("capabilities")), row.get("model_info")
    about = about if isinstance(about, dict) else {}
    lengths = [count(about[key]) for key in about if str(key).endswith(".context_length")]
    most = next((length for length in lengths if length), None)
    lines = str(row.get("parameters") or "")[:10_000].splitlines()
    words = [line.split() for line in lines]
    own = [count(int(pair[1])) for pair in words if pair[:1] == ["num_ctx"] and pair[1:2]
           and pair[1].isdecimal()]  # fmt: skip
    used = (own or [None])[-1] or window or _OLLAMA_WINDOW
    shown = min(used, most) if most else used
    reads = (
        f"; the model could read {most:,} (OLLAMA_CONTEXT_LENGTH)" if most and most > shown else ""
    )
    chat, tools, images = listed.chat, None, False
    if uses:
        chat = False if chat is False else "completion" in uses
        tools, images = "tools" in uses, "vision" in uses
    return Listed(
        listed.model,
        listed.created,
        chat=chat,
        context_window=shown,
        window_note="Ollama's window" + reads,
        capabilities=None if tools is None else abilities(tools=tools, images=images),
        logprobs=logprobs,
        size=listed.size,
    )


def window_of_llamacpp(answer: Any) -> tuple[int | None, bool]:
    """The window of a slot, and whether the model sees images, in llama.cpp's `/props`."""
    row = answer if isinstance(answer, dict) else {}
    usual, kinds = row.get("default_generation_settings"), row.get("modalities")
    window = count(usual.get("n_ctx")) if isinstance(usual, dict) else None
    return window, bool(kinds.get("vision")) if isinstance(kinds, dict) else False


def _billions(value: Any) -> float:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s?([BMK])", str(value).upper())
    scale = {"B": 1.0, "M": 1e-3, "K": 1e-6}
    return float(match[1]) * scale[match[2]] if match else 0.0
