"""Writes an answer with a local model, token after token, in a thread of its own.

The same seed gives the same answer. Writing ends at once when the caller leaves.
"""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from router.backends.local_models import LoadedModel
from router.domain import Fault
from router.request.text import whole_number

_MOST_TOP_LOGPROBS = 20


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How the model must write the answer, as the caller wants it."""

    most_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    stop: tuple[str, ...]
    logprobs: bool
    top_logprobs: int


def options_of(fields: dict[str, Any], default_tokens: int) -> WritingOptions:
    """The options of a request; a `Fault` names a field with an invalid value."""
    if fields.get("n") not in (None, 1):
        raise Fault(
            "bad_request", f"n = {fields['n']!r}: a local model writes one answer at a time"
        )
    most = whole_number(fields, "max_completion_tokens", least=1, most=100_000)
    most = most or whole_number(fields, "max_tokens", least=1, most=100_000) or default_tokens
    stop = fields.get("stop") or ()
    stop = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(text, str) and text for text in stop):
        raise Fault("bad_request", "stop must be a text or a list of texts")
    return WritingOptions(
        most,
        _number(fields, "temperature", 1.0, 0.0, 2.0),
        _number(fields, "top_p", 1.0, 0.0, 1.0),
        whole_number(fields, "seed", least=-(2**63), most=2**63 - 1),
        stop,
        bool(fields.get("logprobs")),
        whole_number(fields, "top_logprobs", least=0, most=_MOST_TOP_LOGPROBS) or 0,
    )


def _number(
    fields: Mapping[str, Any], key: str, default: float, least: float, most: float
) -> float:
    value = fields.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Fault("bad_request", f"{key} = {value!r} must be a number from {least} to {most}")
    return float(value)


@dataclass(frozen=True, slots=True)
class WrittenText:
    """Text that no later token can change, with the log-probabilities of its tokens."""

    text: str
    logprobs: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True)
class Writing:
    """An answer that a thread is writing."""

    loaded: LoadedModel
    prompt: Any
    options: WritingOptions
    most_tokens: int
    finish: str = "length"
    tokens_written: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: "asyncio.Future[None] | None" = None

    async def stop(self) -> None:
        """Stop the thread, and wait until its work has ended."""
        self._stopped.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def texts(self) -> AsyncIterator[WrittenText]:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[WrittenText | BaseException | None] = asyncio.Queue()

        def put(item: WrittenText | BaseException | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, item)

        def write() -> None:
            try:
                for text in self._texts():
                    put(text)
                put(None)
            except BaseException as error:
                put(error)

        self._task = loop.run_in_executor(None, write)
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise Fault("unavailable", f"the model failed: {item}") from item
            yield item

    def _texts(self) -> Iterator[WrittenText]:
        """Yield text as soon as no later token can change it or complete a stop text."""
        ids: list[int] = []
        shown, held = "", []
        for id_, logprobs in self._tokens():
            ids.append(id_)
            held.append(logprobs)
            self.tokens_written += 1
            text = self.loaded.tokenizer.decode(ids, skip_special_tokens=True)
            cut = min((at for s in self.options.stop if (at := text.find(s)) >= 0), default=-1)
            if cut >= 0:
                self.finish = "stop"
                yield WrittenText(text[len(shown) : cut], tuple(held))
                return
            if text.endswith("\ufffd") or _may_become_stop(text, self.options.stop):
                continue
            yield WrittenText(text[len(shown) :], tuple(held))
            shown, held = text, []
        if held:
            text = self.loaded.tokenizer.decode(ids, skip_special_tokens=True)
            yield WrittenText(text[len(shown) :], tuple(held))

    def _tokens(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Sample token ids, each with its log-probability if the caller wants log-probabilities."""
        import torch

        model, options = self.loaded.model, self.options
        ends = model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        ends.add(self.loaded.tokenizer.eos_token_id)
        chance = torch.Generator(device="cpu")
        if options.seed is None:
            chance.seed()
        else:
            chance.manual_seed(options.seed % 2**63)
        ids, cache = self.prompt, None
        with torch.inference_mode():
            for _ in range(self.most_tokens):
                if self._stopped.is_set():
                    return
                out = model(input_ids=ids, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                logprobs = torch.log_softmax(out.logits[0, -1].float(), dim=-1).cpu()
                id_ = _sample(logprobs, options, chance)
                if id_ in ends:
                    self.finish = "stop"
                    return
                yield id_, self._logprob_entry(id_, logprobs) if options.logprobs else {}
                ids = torch.tensor([[id_]], device=self.loaded.device)

    def _logprob_entry(self, id_: int, logprobs: Any) -> dict[str, Any]:
        entry = self._token_entry(id_, float(logprobs[id_]))
        values, ids = logprobs.topk(min(self.options.top_logprobs, len(logprobs)))
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        return entry | {"top_logprobs": [self._token_entry(i, value) for i, value in pairs]}

    def _token_entry(self, id_: int, logprob: float) -> dict[str, Any]:
        text = self.loaded.tokenizer.decode([id_])
        shown = logprob if math.isfinite(logprob) else -9999.0
        return {"token": text, "logprob": shown, "bytes": list(text.encode())}


def _sample(logprobs: Any, options: WritingOptions, chance: Any) -> int:
    import torch

    if options.temperature == 0 or options.top_p == 0:
        return int(logprobs.argmax())
    probabilities = torch.softmax(logprobs / options.temperature, dim=-1)
    if options.top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        beyond = ordered.cumsum(0) - ordered > options.top_p
        probabilities[order[beyond]] = 0
        probabilities /= probabilities.sum()
    return int(torch.multinomial(probabilities, 1, generator=chance))


def _may_become_stop(text: str, stop: tuple[str, ...]) -> bool:
    """Whether the text ends with the beginning of a stop text."""
    return any(text.endswith(s[:n]) for s in stop for n in range(1, len(s)))
