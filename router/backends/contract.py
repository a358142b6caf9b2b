"""What every backend promises, as checks that the author of a new kind can run.

    from router.backends.contract import BackendCase, check_backend

    class EchoBackend:
        @asynccontextmanager
        async def send(self, call: Call) -> AsyncIterator[Reply]:
            if call.path != CHAT:
                raise Fault("bad_request", f"an echo answers {CHAT}, not {call.path}")
            text = last_user_text(fields_of(call))
            yield chat_reply(call, "echo", [text], tokens_in(text))

        async def close(self) -> None:
            pass

    fields = {"messages": [{"role": "user", "content": "dance with me"}]}
    case = BackendCase(EchoBackend, fields, EchoSettings(kind="echo"))
    asyncio.run(check_backend(case))

`check_backend` raises `BrokenPromise`, which names the promise that does not hold. With pytest, a
promise can be a test: `@pytest.mark.parametrize("promise", PROMISES)`, then `await promise(case)`.

The checks do not measure how fast a backend is, or whether its answers are right.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.backends.protocol import Backend
from router.config.values import BackendSettings
from router.domain import CHAT, Call, Fault, Reply

_SECONDS = 60.0  # a call that takes longer counts as hanging
_AT_ONCE = 6


class BrokenPromise(AssertionError):
    """A backend does not do what every backend promises."""


def chat_text(answer: Mapping[str, Any]) -> Any:
    return answer["choices"][0]["message"]["content"]


@dataclass(frozen=True, slots=True)
class BackendCase:
    """A new backend, and a request that the backend answers in the same way each time."""

    build: Callable[[], Backend]
    fields: Mapping[str, Any]
    settings: BackendSettings
    path: str = CHAT
    content: Callable[[Mapping[str, Any]], Any] = chat_text  # the part that never changes
    invents: Mapping[str, Any] | None = None  # a request whose answers differ, if there is one

    @asynccontextmanager
    async def backend(self) -> AsyncIterator[Backend]:
        backend = self.build()
        try:
            async with asyncio.timeout(_SECONDS):
                yield backend
        finally:
            await backend.close()

    def call(self, *, stream: bool = False, path: str = "") -> Call:
        body = orjson.dumps({"model": "auto", **self.fields, "stream": stream})
        return Call(path or self.path, body, stream, "contract")


async def a_whole_answer_has_the_form_of_openai(case: BackendCase) -> None:
    async with case.backend() as backend:
        answer = await _whole(backend, case)
    if case.path != CHAT:
        return
    _hold(answer.get("object") == "chat.completion", "`object` must be chat.completion", answer)
    _hold(bool(chat_text(answer)), "an answer needs content", answer)
    usage = answer.get("usage") or {}
    keys = ("prompt_tokens", "completion_tokens", "total_tokens")
    _hold(all(isinstance(usage.get(key), int) for key in keys), "an answer needs its usage", usage)
    tokens = usage["prompt_tokens"] + usage["completion_tokens"]
    _hold(tokens == usage["total_tokens"], "total_tokens must be the sum of both", usage)


async def a_stream_says_what_the_whole_answer_says(case: BackendCase) -> None:
    if case.path != CHAT:
        return
    async with case.backend() as backend:
        answer = await _whole(backend, case)
        async with backend.send(case.call(stream=True)) as reply:
            _hold(reply.content_type == "text/event-stream", "a stream is an event stream", reply)
            *events, done, rest = (await _bytes(reply)).decode().split("\n\n")
    _hold((done, rest) == ("data: [DONE]", ""), "a stream must end with data: [DONE]", (done, rest))
    chunks = [orjson.loads(event.removeprefix("data: ")) for event in events]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    _hold(text == chat_text(answer), "a stream must say what the whole answer says", text)
    _hold(bool(choices[-1]["finish_reason"]), "the last choice needs a finish_reason", choices[-1])
    tokens = (chunks[-1].get("usage") or {}).get("completion_tokens", 0)
    _hold(tokens > 0, "the last event must have the usage", chunks[-1])


async def an_unknown_path_is_the_callers_mistake(case: BackendCase) -> None:
    async with case.backend() as backend:
        try:
            async with backend.send(case.call(path="/no/such/path")) as reply:
                refused = 400 <= reply.status < 500  # a server behind the backend refused it
                await _bytes(reply)
        except Fault as fault:
            refused = fault.kind == "bad_request" and "/no/such/path" in fault.detail
    _hold(refused, "an unknown path must be a Fault bad_request that names it", "/no/such/path")


async def a_caller_may_leave_in_the_middle(case: BackendCase) -> None:
    """When a caller leaves, the work ends and the backend is free for the next call."""
    async with case.backend() as backend:
        async with backend.send(case.call(stream=case.path == CHAT)) as reply:
            await anext(aiter(reply.body))
        task = asyncio.ensure_future(_whole(backend, case))
        await asyncio.sleep(0.01)
        task.cancel()
        outcomes = await asyncio.gather(task, return_exceptions=True)
        left = isinstance(outcomes[0], asyncio.CancelledError | dict)
        _hold(left, "a cancelled call must end with CancelledError", outcomes)
        await _whole(backend, case)


async def calls_at_once_get_the_answer_of_a_single_call(case: BackendCase) -> None:
    async with case.backend() as backend:
        single = case.content(await _whole(backend, case))
        answers = await asyncio.gather(*(_whole(backend, case) for _ in range(_AT_ONCE)))
    for answer in answers:
        _hold(case.content(answer) == single, "calls at once must not mix", answer)


async def a_backend_may_be_closed_twice(case: BackendCase) -> None:
    async with case.backend() as backend:
        await _whole(backend, case)
        await backend.close()  # `case.backend` closes the backend again


async def an_answer_that_comes_out_new_is_not_called_repeatable(case: BackendCase) -> None:
    """Memory gives an answer again if the settings call it repeatable."""
    if case.invents is None:
        return
    case = replace(case, fields=case.invents)
    async with case.backend() as backend:
        first, second = [case.content(await _whole(backend, case)) for _ in range(2)]
    honest = first == second or not case.settings.repeatable(case.fields)
    _hold(honest, "`repeatable` must be false for an answer that comes out new", second)


async def settings_survive_the_way_to_another_process(case: BackendCase) -> None:
    settings = case.settings
    again = type(settings).model_validate_json(settings.model_dump_json())
    _hold(again == settings, "settings must go through JSON unchanged", again)


Promise = Callable[[BackendCase], Awaitable[None]]
PROMISES: tuple[Promise, ...] = (
    a_whole_answer_has_the_form_of_openai,
    a_stream_says_what_the_whole_answer_says,
    an_unknown_path_is_the_callers_mistake,
    a_caller_may_leave_in_the_middle,
    calls_at_once_get_the_answer_of_a_single_call,
    a_backend_may_be_closed_twice,
    an_answer_that_comes_out_new_is_not_called_repeatable,
    settings_survive_the_way_to_another_process,
)


async def check_backend(case: BackendCase) -> None:
    for promise in PROMISES:
        await promise(case)


def _hold(condition: bool, promise: str, value: object) -> None:
    if not condition:
        raise BrokenPromise(f"{promise}; here: {value!r:.500}")


async def _bytes(reply: Reply) -> bytes:
    return b"".join([piece async for piece in reply.body])


async def _whole(backend: Backend, case: BackendCase) -> dict[str, Any]:
    async with backend.send(case.call()) as reply:
        body = await _bytes(reply)
    _hold(reply.status == 200, "the request of the case must be answered", body)
    _hold(reply.content_type == "application/json", "a whole answer is JSON", reply.content_type)
    answer: dict[str, Any] = orjson.loads(body)
    return answer
