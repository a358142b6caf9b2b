"""HTTP answers that were read to their end."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: bytes
    names: tuple[str, ...] = ()  # of the headers, as often as each came

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def text(self) -> str:
        """The text of a chat completion."""
        return self.json["choices"][0]["message"]["content"]

    @property
    def events(self) -> list[Any]:
        lines = [block[6:] for block in self.body.decode().split("\n\n") if block[:6] == "data: "]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def read_answer(response: aiohttp.ClientResponse) -> HttpAnswer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    names = tuple(name.lower() for name in response.headers)
    return HttpAnswer(response.status, headers, await response.read(), names)


async def post(
    session: aiohttp.ClientSession, url: str, body: Any, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Send bytes as they are, and anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | dict(headers or {})
    async with session.post(url, data=io.BytesIO(content), headers=headers) as response:
        return await read_answer(response)
