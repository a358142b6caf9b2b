"""Requests of the Responses dialect, generated over every field, item and tool that it has.

The members come from the types of the installed `openai` package. Every text is another one, so
that a text that is lost is noticed.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Json = dict[str, Any]
_IMAGE = "data:image/png;base64,aGk="
_ODD = ("wörd", 'a "b"', "x\ny", "词", "{}")
_SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}


class Writer:
    """Writes one request. A further request comes from another seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._words = 0

    def text(self) -> str:
        self._words += 1
        return f"{self.random.choice(_ODD)} {self._words}."

    def name(self) -> str:
        self._words += 1
        return f"n{self._words}n"

    def maybe(self, chance: float, **members: Any) -> Json:
        return {n: v() if callable(v) else v for n, v in members.items() if self._is(chance)}

    def _is(self, chance: float) -> bool:
        return self.random.random() < chance

    def request(self) -> Json:
        choose, maybe = self.random.choice, self.maybe
        tools = self.tools()
        request: Json = {"model": "m", "input": self.text() if self._is(0.1) else self.items()}
        request |= maybe(0.5, instructions=self.text, temperature=0.3, top_p=0.9)
        request |= maybe(0.3, max_output_tokens=50, user=self.text, safety_identifier=self.text)
        request |= maybe(0.3, prompt_cache_key=self.text, service_tier="flex", stream=True)
        request |= maybe(0.2, metadata=lambda: {"k": self.text()}, max_tool_calls=3, top_logprobs=2)
        request |= maybe(0.2, truncation=lambda: choose(["auto", "disabled"]), store=False)
        request |= maybe(0.2, parallel_tool_calls=False, prompt_cache_retention="24h", top_k=5)
        request |= maybe(0.2, prompt_cache_options={"mode": "implicit", "ttl": "30m"})
        request |= maybe(0.1, stream_options={"include_obfuscation": False}, background=False)
        request |= maybe(0.1, moderation={"model": "omni"}, client_metadata={"a": "b"})
        request |= maybe(0.05, prompt={"id": "p"}, context_management=[{"type": "compaction"}])
        request |= maybe(0.4, reasoning=self.reasoning, text=self.form, include=self.include)
        if tools:
            request["tools"] = tools
            request |= maybe(0.6, tool_choice=lambda: self.choice(tools))
        return request

    def reasoning(self) -> Json:
        choose = self.random.choice
        reasoning = self.maybe(0.6, effort=lambda: choose(["none", "low", "medium", "high"]))
        reasoning |= self.maybe(0.4, summary=lambda: choose(["auto", "concise", "detailed"]))
        return reasoning | self.maybe(0.1, context="all_turns", mode="standard")

    def form(self) -> Json:
        schema = {"type": "json_schema", "name": "n", "schema": _SCHEMA}
        schema |= self.maybe(0.5, strict=True, description=self.text)
        forms = [{"type": "text"}, {"type": "json_object"}, schema]
        return self.maybe(0.5, verbosity="low") | {"format": self.random.choice(forms)}

    def include(self) -> list[str]:
        names = ["reasoning.encrypted_content", "message.output_text.logprobs"]
        names.append("file_search_call.results")
        return self.random.sample(names, self.random.randint(1, 3))

    def tools(self) -> list[Json]:
        kinds: list[Callable[[], Json]] = [self.function, self.custom, self.namespace]
        built_in: list[Json] = [{"type": "local_shell"}, {"type": "apply_patch"}]
        built_in += [{"type": "shell", "environment": {"type": "local"}}, {"type": "web_search"}]
        tools = [self.random.choice(kinds)() for _ in range(self.random.randint(0, 3))]
        return tools + [tool for tool in built_in if self._is(0.12)]

    def function(self) -> Json:
        tool = {"type": "function", "name": self.name(), "parameters": _SCHEMA}
        tool |= self.maybe(0.5, strict=True, description=self.text)
        return tool | self.maybe(0.1, defer_loading=True, output_schema=_SCHEMA)

    def custom(self) -> Json:
        tool = {"type": "custom", "name": self.name()} | self.maybe(0.5, description=self.text)
        grammar = {"type": "grammar", "syntax": "lark", "definition": self.text()}
        return tool | self.maybe(
            0.6, format=lambda: self.random.choice([grammar, {"type": "text"}])
        )

    def namespace(self) -> Json:
        tools = [self.random.choice([self.function, self.custom])() for _ in range(2)]
        space = {"type": "namespace", "name": self.name(), "description": self.text()}
        return space | {"tools": tools}

    def choice(self, tools: list[Json]) -> Any:
        named = [
            {"type": tool["type"]} | ({"name": tool["name"]} if "name" in tool else {})
            for tool in tools
            if tool["type"] not in ("namespace", "web_search")
        ]
        choices: list[Any] = ["auto", "none", "required", *named[:1]]
        if named:
            choices.append({"type": "allowed_tools", "mode": "required", "tools": named[:2]})
        return self.random.choice(choices)

    def items(self) -> list[Json]:
        items: list[Json] = [self.message("user")]
        for _ in range(self.random.randint(0, 4)):
            items += self.random.choice([self.spoken, self.worked, self.other_message])()
        return items

    def other_message(self) -> list[Json]:
        return [self.message(self.random.choice(["user", "system", "developer"]))]

    def message(self, role: str) -> Json:
        parts = [self.part() for _ in range(self.random.randint(1, 3))]
        if role != "user":
            parts = [part for part in parts if part["type"] == "input_text"] or [self.words()]
        content = self.text() if self._is(0.3) else parts
        message = {"role": role, "content": content}
        return message | self.maybe(0.2, id=lambda: f"msg_{self.name()}", type="message")

    def words(self) -> Json:
        return {"type": "input_text", "text": self.text()}

    def part(self) -> Json:
        image = {"type": "input_image", "image_url": f"{_IMAGE}#{self.name()}"}
        image["detail"] = self.random.choice(["auto", "low", "high"])
        file = {"type": "input_file", "filename": self.name(), "file_data": f"data:{self.name()}"}
        sound = {"type": "input_audio", "input_audio": {"data": self.name(), "format": "wav"}}
        by_id = {"type": "input_image", "file_id": self.name(), "detail": "auto"}
        return self.random.choice([self.words(), self.words(), image, file, sound, by_id])

    def spoken(self) -> list[Json]:
        thought: Json = {"type": "reasoning", "id": f"rs_{self.name()}", "summary": []}
        kind = self.random.choice(["summary", "content"])
        thought[kind] = [{"type": f"{kind}_text".replace("content", "reasoning")}]
        thought[kind][0]["text"] = self.text()
        thought |= self.maybe(0.2, encrypted_content=self.text)
        part = {"type": "output_text", "text": self.text(), "annotations": []}
        message = {"type": "message", "role": "assistant", "content": [part]}
        message |= {"id": f"msg_{self.name()}", "status": "completed"}
        message |= self.maybe(0.1, phase="commentary")
        return [*([thought] if self._is(0.5) else []), message]

    def worked(self) -> list[Json]:
        calls = [self.call() for _ in range(self.random.randint(1, 3))]
        outputs = [self.output(call) for call in calls]
        if self._is(0.5):
            self.random.shuffle(outputs)
        return [*calls, *outputs]

    def call(self) -> Json:
        base: Json = {"call_id": self.name(), "id": self.name(), "status": "completed"}
        patch = {"type": "update_file", "path": self.name(), "diff": self.text()}
        run = {"type": "exec", "command": [self.text()], "env": {}, "timeout_ms": 5}
        calls: list[Json] = (
            [
                {"type": "function_call", "name": self.name(), "arguments": '{"at": 1}'},
                {"type": "function_call", "name": self.name(), "arguments": "{}"}
                | {"namespace": self.name()},
                {"type": "custom_tool_call", "name": self.name(), "input": self.text()},
                {"type": "local_shell_call", "action": run},
                {"type": "shell_call", "action": {"commands": [self.text(), self.text()]}},
                {"type": "apply_patch_call", "operation": patch},
            ]
        )  # fmt: skip
        return {**self.random.choice(calls), **base}

    def output(self, call: Json) -> Json:
        base: Json = {"type": f"{call['type']}_output", "call_id": call["call_id"]}
        match call["type"]:
            case "shell_call":
                end = {"type": "exit", "exit_code": 0}
                return base | {"output": [{"stdout": self.text(), "stderr": "", "outcome": end}]}
            case "apply_patch_call":
                return base | {"status": "completed"} | self.maybe(0.5, output=self.text)
            case "local_shell_call":
                return {"type": base["type"], "id": call["call_id"], "output": self.text()}
            case _:
                parts = [self.part() for _ in range(self.random.randint(1, 3))]
                parts = [part for part in parts if part["type"] != "input_audio"]
                return base | {"output": self.text() if self._is(0.5) else parts or [self.words()]}


def requests(count: int) -> Iterator[Json]:
    return (Writer(seed).request() for seed in range(count))
