"""OpenAI's chat completions at the door: the inner form itself, so nothing is translated."""

from collections.abc import AsyncIterator, Mapping

from router.api.dialects.dialect import OpenAIErrors
from router.api.parse import parse_chat
from router.domain import Request


class ChatDialect(OpenAIErrors):
    name = "chat"

    def parse(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request:
        return parse_chat(body, headers, request_id=request_id, key_id=key_id)

    def whole(self, request: Request, completion: bytes) -> bytes:  # noqa: ARG002
        return completion

    def events(
        self,
        request: Request,  # noqa: ARG002
        chunks: AsyncIterator[bytes],
    ) -> AsyncIterator[bytes]:
        return chunks
