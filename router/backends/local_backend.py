"""Running the models of a `local` backend: loading, swapping, and a token after the other."""

import asyncio
import gc
import math
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from router.config.backends import LocalSettings
from router.domain import CHAT, Call, Fault, Reply
from router.request.text import fields_of, whole_number
from router.wire.chat_replies import in_one_piece
from router.wire.replica_headers import SWAP

_MOST_TOP = 20


@dataclass(slots=True)
class Loaded:
    """A model in memory, with its tokenizer."""

    name: str
    model: Any
    tokenizer: Any
    device: str

    @property
    def most_tokens(self) -> int:
        config = self.model.config
        return int(getattr(config, "max_position_embeddings", 0) or 2**20)


Load = Callable[[str], Awaitable[Loaded]]


class ModelShelf:
    """At most so many models, the least recently asked for taken out first."""

    def __init__(self, load: Load, most: int) -> None:
        self._load = load
        self._most = most
        self._models: OrderedDict[str, Loaded] = OrderedDict()

    async def get(self, name: str) -> Loaded:
        if name not in self._models:
            while len(self._models) >= self._most:
                self._models.popitem(last=False)
                gc.collect()
            self._models[name] = await self._load(name)
        self._models.move_to_end(name)
        return self._models[name]


class LocalBackend:
    """`get` gives a loaded model; who runs us may hand in another (Serve's multiplexing)."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self.get: Load = ModelShelf(self.load, settings.at_once).get
        self._turn = asyncio.Lock()  # for the accelerator: one answer is written at a time

    async def load(self, name: str) -> Loaded:
        return await asyncio.to_thread(_loaded, name, self.settings)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a local model answers {CHAT}, not {call.path}")
        fields = fields_of(call)
        wishes = _wishes(fields, self.settings.max_new_tokens)
        async with self._turn:
            begun = time.monotonic()
            loaded = await self.get(self.settings.asked(fields))
            swapped = time.monotonic() - begun
            prompt = await asyncio.to_thread(_prompt, loaded, fields["messages"])
            left = loaded.most_tokens - prompt.shape[1]
            if left < 1:
                detail = (
                    f"the prompt has {prompt.shape[1]} tokens, {loaded.most_tokens} is the most"
                )
                raise Fault("bad_request", detail)
            writing = _Writing(loaded, prompt, wishes, min(wishes.most, left))
            try:
                yield await _reply(call, writing, swapped)
            finally:
                writing.stop()
                await writing.ended()

    async def close(self) -> None:
        self.get = _closed


async def _closed(name: str) -> Loaded:
    raise Fault("unavailable", f"{name} was closed")


def _loaded(name: str, settings: LocalSettings) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = settings.folder(name)
    _check(folder)
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype: Any = "auto" if settings.dtype == "auto" else getattr(torch, settings.dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=dtype
        )
        return Loaded(name, model.to(device).eval(), tokenizer, device)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise Fault("unavailable", f"{name} in {folder} cannot be loaded: {error}") from None


def _check(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise Fault("unavailable", f"{folder} holds no model (config.json)")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller asked of the writing."""

    most: int
    temperature: float
    top_p: float
    seed: int | None
    stop: tuple[str, ...]
    logprobs: bool
    top: int


def _wishes(fields: dict[str, Any], default: int) -> Wishes:
    if fields.get("n") not in (None, 1):
        raise Fault("bad_request", f"n = {fields['n']!r}: one answer at a time is written here")
    most = whole_number(fields, "max_completion_tokens", least=1, most=100_000)
    most = most or whole_number(fields, "max_tokens", least=1, most=100_000) or default
    stop = fields.get("stop") or ()
    stop = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(text, str) and text for text in stop):
        raise Fault("bad_request", "stop must be a text or a list of texts")
    return Wishes(
        most,
        _number(fields, "temperature", 1.0, 0.0, 2.0),
        _number(fields, "top_p", 1.0, 0.0, 1.0),
        whole_number(fields, "seed", least=-(2**63), most=2**63 - 1),
        stop,
        bool(fields.get("logprobs")),
        whole_number(fields, "top_logprobs", least=0, most=_MOST_TOP) or 0,
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


def _prompt(loaded: Loaded, messages: list[dict[str, Any]]) -> Any:
    """The conversation as the model knows conversations, or line by line where it knows none."""
    plain = [{"role": m["role"], "content": _words(m.get("content"))} for m in messages]
    tokenizer = loaded.tokenizer
    if tokenizer.chat_template:
        text = tokenizer.apply_chat_template(plain, add_generation_prompt=True, tokenize=False)
        read = tokenizer(text, return_tensors="pt", add_special_tokens=False)
    else:
        text = "\n".join(f"{m['role']}: {m['content']}" for m in plain) + "\nassistant:"
        read = tokenizer(text, return_tensors="pt")
    return read["input_ids"].to(loaded.device)


def _words(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(p["text"] for p in content if isinstance(p, dict) and "text" in p)
    return str(content or "")


@dataclass(frozen=True, slots=True)
class Token:
    """One step of the writing: what came out, how likely it was, and what else it could be."""

    text: str
    logprobs: tuple[dict[str, Any], ...] = ()
    count: int = 1


@dataclass(slots=True)
class _Writing:
    """An answer under way in a thread of its own; it ends early where nobody reads on."""

    loaded: Loaded
    prompt: Any
    wishes: Wishes
    most: int
    finish: str = "length"
    written: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _task: "asyncio.Future[None] | None" = None

    def stop(self) -> None:
        self._stopped.set()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def tokens(self) -> AsyncIterator[Token]:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Token | BaseException | None] = asyncio.Queue()

        def put(item: Token | BaseException | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, item)

        def write() -> None:
            try:
                for token in self._steps():
                    put(token)
                put(None)
            except BaseException as error:
                put(error)

        self._task = loop.run_in_executor(None, write)
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise Fault("unavailable", f"the model failed: {item}") from item
            yield item

    def _steps(self) -> Iterator[Token]:
        """Words as they are certain: not while a later token may still change them, nor while they
        may be the beginning of where to stop."""
        ids: list[int] = []
        shown, held = "", []
        for id_, told in self._sampled():
            ids.append(id_)
            held.append(told)
            self.written += 1
            text = self.loaded.tokenizer.decode(ids, skip_special_tokens=True)
            cut = min((at for s in self.wishes.stop if (at := text.find(s)) >= 0), default=-1)
            if cut >= 0:
                self.finish = "stop"
                yield Token(text[len(shown) : cut], tuple(held), len(held))
                return
            if text.endswith("\ufffd") or _may_stop(text, self.wishes.stop):
                continue
            yield Token(text[len(shown) :], tuple(held), len(held))
            shown, held = text, []
        if held:
            text = self.loaded.tokenizer.decode(ids, skip_special_tokens=True)
            yield Token(text[len(shown) :], tuple(held), len(held))

    def _sampled(self) -> Iterator[tuple[int, dict[str, Any]]]:
        import torch

        model, wishes = self.loaded.model, self.wishes
        ends = model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        ends.add(self.loaded.tokenizer.eos_token_id)
        chance = torch.Generator(device="cpu")
        if wishes.seed is None:
            chance.seed()
        else:
            chance.manual_seed(wishes.seed % 2**63)
        ids, cache = self.prompt, None
        with torch.inference_mode():
            for _ in range(self.most):
                if self._stopped.is_set():
                    return
                out = model(input_ids=ids, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                logprobs = torch.log_softmax(out.logits[0, -1].float(), dim=-1).cpu()
                id_ = _drawn(logprobs, wishes, chance)
                if id_ in ends:
                    self.finish = "stop"
                    return
                yield id_, self._told(id_, logprobs) if wishes.logprobs else {}
                ids = torch.tensor([[id_]], device=self.loaded.device)

    def _told(self, id_: int, logprobs: Any) -> dict[str, Any]:
        told = self._named(id_, float(logprobs[id_]))
        values, ids = logprobs.topk(min(self.wishes.top, len(logprobs)))
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        return told | {"top_logprobs": [self._named(i, value) for i, value in pairs]}

    def _named(self, id_: int, logprob: float) -> dict[str, Any]:
        text = self.loaded.tokenizer.decode([id_])
        shown = logprob if math.isfinite(logprob) else -9999.0
        return {"token": text, "logprob": shown, "bytes": list(text.encode())}


def _drawn(logprobs: Any, wishes: Wishes, chance: Any) -> int:
    import torch

    if wishes.temperature == 0 or wishes.top_p == 0:
        return int(logprobs.argmax())
    probabilities = torch.softmax(logprobs / wishes.temperature, dim=-1)
    if wishes.top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        beyond = ordered.cumsum(0) - ordered > wishes.top_p
        probabilities[order[beyond]] = 0
        probabilities /= probabilities.sum()
    return int(torch.multinomial(probabilities, 1, generator=chance))


def _may_stop(text: str, stop: tuple[str, ...]) -> bool:
    """Whether it ends in the beginning of where to stop."""
    return any(text.endswith(s[:n]) for s in stop for n in range(1, len(s)))


async def _reply(call: Call, writing: _Writing, swapped: float) -> Reply:
    base = {"id": f"chatcmpl-{call.request_id}", "created": int(time.time())}
    base |= {"model": writing.loaded.name}
    headers = {SWAP.decode(): f"{swapped:.6f}"}
    if call.stream:
        return Reply(200, "text/event-stream", _events(base, writing), headers)
    tokens = [token async for token in writing.tokens()]
    told = [entry for token in tokens for entry in token.logprobs if entry]
    choice = {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "".join(token.text for token in tokens),
            "refusal": None,
        },
        "logprobs": {"content": told} if writing.wishes.logprobs else None,
        "finish_reason": writing.finish,
    }
    whole = base | {"object": "chat.completion", "choices": [choice], "usage": _usage(writing)}
    return Reply(200, "application/json", in_one_piece(orjson.dumps(whole)), headers)


async def _events(base: dict[str, Any], writing: _Writing) -> AsyncIterator[bytes]:
    base = base | {"object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None, told: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": told, "finish_reason": finish}
        return b"data: " + orjson.dumps(base | {"choices": [choice]}) + b"\n\n"

    yield event({"role": "assistant", "content": ""}, None)
    async for token in writing.tokens():
        told = {"content": list(token.logprobs)} if writing.wishes.logprobs else None
        yield event({"content": token.text}, None, told)
    yield event({}, writing.finish)
    yield b"data: " + orjson.dumps(base | {"choices": [], "usage": _usage(writing)}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def _usage(writing: _Writing) -> dict[str, int]:
    prompt = int(writing.prompt.shape[1])
    return {
        "prompt_tokens": prompt,
        "completion_tokens": writing.written,
        "total_tokens": prompt + writing.written,
    }
