"""Generated requests of Anthropic's Messages API, as its documents allow them. Pure, by a seed.

Every text has a number of its own, so that a text that is lost or moved is seen. What the API
itself would refuse, such as a forced call of a model that thinks, is not generated.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
_KINDS = ("text", "text", "image", "image_url", "pdf", "document", "search_result")
_NATIVE = (
    {"type": "web_search_20250305", "name": "web_search"},
    {"type": "bash_20250124", "name": "bash"},
)
_EFFORTS = ("low", "medium", "high", "max")


class Generator:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)

    def request(self) -> Json:
        thinks = self._often(0.4)
        request: Json = {
            "model": "claude-sonnet-4-5",
            "max_tokens": self._chance.randrange(5000, 9000),
            "messages": self._messages(thinks=thinks),
        }
        self._maybe(request, "system", self._system)
        self._maybe(request, "stream", lambda: True)
        self._maybe(request, "stop_sequences", lambda: [self._text() for _ in range(2)])
        if thinks:
            budget = self._chance.randrange(1024, 4000)
            kinds: tuple[Json, ...] = (
                {"type": "enabled", "budget_tokens": budget},
                {"type": "adaptive", "display": "summarized"},
            )
            request["thinking"] = self._chance.choice(kinds)
        else:
            self._maybe(request, "temperature", lambda: self._chance.choice((0, 0.3, 0.7)))
            self._maybe(request, "top_k", lambda: self._chance.randrange(1, 99))
            self._maybe(request, "thinking", lambda: {"type": "disabled"})
        self._tools(request, thinks=thinks)
        self._account(request)
        return request

    def _account(self, request: Json) -> None:
        self._maybe(request, "metadata", lambda: {"user_id": f"{{{self._text()}}}"})
        self._maybe(request, "cache_control", self._cache)
        self._maybe(request, "service_tier", lambda: "standard_only", 0.1)
        self._maybe(request, "speed", lambda: "fast", 0.1)
        self._maybe(request, "inference_geo", lambda: "us", 0.1)
        self._maybe(request, "container", self._text, 0.05)
        self._maybe(request, "context_management", lambda: {"edits": [{"type": self._text()}]}, 0.1)
        config: Json = {}
        self._maybe(config, "effort", lambda: self._chance.choice(_EFFORTS))
        if "tools" not in request:
            self._maybe(config, "format", self._form)
        if config:
            request["output_config"] = config

    def _form(self) -> Json:
        schema = self._schema() | {"additionalProperties": False}
        return {"type": "json_schema", "schema": schema}

    def _tools(self, request: Json, *, thinks: bool) -> None:
        called = self._called(request["messages"])
        if not called and not self._often(0.3):
            return
        tools: list[Json] = [self._tool(name) for name in sorted(called)]
        tools.append(self._tool(f"tool_{next(self._numbers)}"))
        if self._often(0.1):
            tools.append(dict(self._chance.choice(_NATIVE)))
        request["tools"] = tools
        modes = ["auto", "none"] if thinks else ["auto", "none", "any", "tool"]
        if self._often(0.5):
            choice: Json = {"type": self._chance.choice(modes)}
            if choice["type"] == "tool":
                choice["name"] = tools[0]["name"]
            if choice["type"] != "none":
                self._maybe(choice, "disable_parallel_tool_use", lambda: True)
            request["tool_choice"] = choice

    @staticmethod
    def _called(messages: list[Json]) -> set[str]:
        blocks = (b for m in messages if isinstance(m["content"], list) for b in m["content"])
        return {block["name"] for block in blocks if block["type"] == "tool_use"}

    def _tool(self, name: str) -> Json:
        tool: Json = {"name": name, "input_schema": self._schema()}
        self._maybe(tool, "description", self._text)
        self._maybe(tool, "strict", lambda: True, 0.2)
        self._maybe(tool, "cache_control", self._cache, 0.2)
        self._maybe(tool, "input_examples", lambda: [{"city": self._text()}], 0.2)
        self._maybe(tool, "eager_input_streaming", lambda: True, 0.1)
        self._maybe(tool, "defer_loading", lambda: True, 0.05)
        return tool

    def _schema(self) -> Json:
        name = f"field_{next(self._numbers)}"
        field = {"type": "string", "description": self._text()}
        return {"type": "object", "properties": {name: field}, "required": [name]}

    def _messages(self, *, thinks: bool) -> list[Json]:
        messages = [self._user([])]
        for _ in range(self._chance.randrange(4)):
            spoken, calls = self._spoken(thinks=thinks)
            messages += [spoken, self._user(calls)]
            if self._often(0.1):
                messages.append({"role": "system", "content": self._text()})
        return messages

    def _spoken(self, *, thinks: bool) -> tuple[Json, list[str]]:
        if not thinks and self._often(0.3):
            return {"role": "assistant", "content": self._text()}, []
        blocks: list[Json] = []
        if thinks:
            blocks.append({"type": "thinking", "thinking": self._text(), "signature": self._text()})
            if self._often(0.2):
                blocks.append({"type": "redacted_thinking", "data": self._text()})
        calls: list[str] = []
        blocks.append(self._words())
        for _ in range(self._chance.randrange(3)):
            identity = f"toolu_{next(self._numbers)}"
            calls.append(identity)
            use: Json = {"type": "tool_use", "id": identity, "name": f"tool_{next(self._numbers)}"}
            use["input"] = {"city": self._text(), "deep": [{"n": next(self._numbers)}]}
            self._maybe(use, "cache_control", self._cache, 0.1)
            blocks.append(use)
            if self._often(0.15):
                blocks.append(self._words())
        return {"role": "assistant", "content": blocks}, calls

    def _user(self, calls: list[str]) -> Json:
        if not calls and self._often(0.3):
            return {"role": "user", "content": self._text()}
        blocks = [self._result(identity) for identity in calls]
        if not calls or self._often(0.5):
            blocks += [self._block() for _ in range(self._chance.randrange(1, 4))]
        return {"role": "user", "content": blocks}

    def _result(self, identity: str) -> Json:
        result: Json = {"type": "tool_result", "tool_use_id": identity}
        self._maybe(result, "content", self._given_back, 0.9)
        self._maybe(result, "is_error", lambda: True, 0.2)
        self._maybe(result, "cache_control", self._cache, 0.2)
        return result

    def _given_back(self) -> Any:
        if self._often(0.5):
            return self._text()
        return [self._block() for _ in range(self._chance.randrange(1, 3))]

    def _system(self) -> Any:
        return self._text() if self._often(0.4) else [self._words() for _ in range(2)]

    def _block(self) -> Json:
        kind = self._chance.choice(_KINDS)
        data = f"{self._text().replace(' ', '')}=="
        if kind == "text":
            return self._words()
        block: Json = {"type": kind}
        match kind:
            case "image":
                source = {"type": "base64", "media_type": "image/png", "data": data}
                block["source"] = source
            case "image_url":
                source = {"type": "url", "url": f"https://x.org/{next(self._numbers)}.png"}
                block = {"type": "image", "source": source}
            case "pdf":
                source = {"type": "base64", "media_type": "application/pdf", "data": data}
                block = {"type": "document", "source": source}
            case "document":
                source = {"type": "text", "media_type": "text/plain", "data": self._text()}
                block["source"] = source
            case "search_result":
                block |= {"source": self._text(), "title": self._text()}
                block["content"] = [{"type": "text", "text": self._text()} for _ in range(2)]
        if block["type"] == "document":
            self._maybe(block, "title", self._text)
            self._maybe(block, "context", self._text)
            self._maybe(block, "citations", lambda: {"enabled": True}, 0.1)
        self._maybe(block, "cache_control", self._cache, 0.15)
        return block

    def _words(self) -> Json:
        block: Json = {"type": "text", "text": self._text()}
        self._maybe(block, "cache_control", self._cache, 0.2)
        return block

    def _cache(self) -> Json:
        kinds: tuple[Json, ...] = ({"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"})
        return dict(self._chance.choice(kinds))

    def _text(self) -> str:
        return f"words {next(self._numbers)} of ours"

    def _maybe(self, holder: Json, name: str, value: Any, share: float = 0.4) -> None:
        if self._often(share):
            holder[name] = value()

    def _often(self, share: float) -> bool:
        return self._chance.random() < share


def requests(count: int, seed: int = 23) -> Iterator[Json]:
    generator = Generator(seed)
    return (generator.request() for _ in range(count))
