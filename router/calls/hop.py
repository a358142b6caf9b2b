"""The hop from a router to a backend replica, by frames over one connection to each replica."""

import orjson

from router.domain import Call, Fault
from router.wire.frame_client import FrameClient, ReplicaAnswer
from router.wire.http_client import NoConnection


class ReplicaLost(Exception):
    """A replica gave no answer. `sent`: it had the call, so the call itself may have ended it."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class Hops:
    """Connections to every replica that this router talks to."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._clients: dict[str, FrameClient] = {}

    async def send(self, address: str, backend: str, call: Call) -> ReplicaAnswer:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = FrameClient(address, self._token)
        head = (
            *(backend, call.path, call.request_id, call.stream, call.raw, call.headers),
            call.key_id,
        )
        try:
            return await client.send(orjson.dumps(head), call.body)
        except Fault as fault:
            raise ReplicaLost(fault.detail, sent=not isinstance(fault, NoConnection)) from fault

    def forget(self, keep: frozenset[str]) -> None:
        """Close the connections to all replicas that are not in `keep`, after their last calls."""
        for address in self._clients.keys() - keep:
            self._clients.pop(address).close()
