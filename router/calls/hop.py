"""The hop from a router to a backend replica, over that replica's own port."""

from router.domain import Call, Fault
from router.wire.http_client import Connection, ConnectionPool, NoConnection
from router.wire.replica_headers import BACKEND, PASS_ON, RAW, REQUEST_ID, STREAM, TOKEN


class ReplicaLost(Exception):
    """A replica gave no answer. `sent`: it had the call, so the call itself may have ended it."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class Hops:
    """Connections to every replica that this router talks to."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._pools: dict[str, ConnectionPool] = {}

    async def send(self, address: str, backend: str, call: Call) -> Connection:
        pool = self._pools.get(address)
        if pool is None:
            host, _, port = address.rpartition(":")
            pool = self._pools[address] = ConnectionPool(host, int(port))
        try:
            return await pool.send(self._head(address, backend, call), call.body)
        except Fault as fault:
            raise ReplicaLost(fault.detail, sent=not isinstance(fault, NoConnection)) from fault

    def forget(self, keep: frozenset[str]) -> None:
        """Close the connections to all replicas that are not in `keep`."""
        for address in self._pools.keys() - keep:
            self._pools.pop(address).close()

    def _head(self, address: str, backend: str, call: Call) -> bytes:
        return b"".join(
            (
                b"POST /v1", call.path.encode(), b" HTTP/1.1\r\nhost: ", address.encode(),
                b"\r\n", TOKEN, b": ", self._token,
                b"\r\n", BACKEND, b": ", backend.encode(),
                b"\r\n", REQUEST_ID, b": ", call.request_id.encode(),
                b"\r\n", STREAM, b": 1" if call.stream else b": 0", _passed_on(call),
                b"\r\n" + RAW + b": 1" if call.raw else b"",
                b"\r\ncontent-length: ", str(len(call.body)).encode(), b"\r\n\r\n",
            )
        )  # fmt: skip


def _passed_on(call: Call) -> bytes:
    """The lines of the headers that belong to the call's dialect."""
    return b"".join(
        b"\r\n%b%b: %b" % (PASS_ON, name.encode(), value.encode("latin-1", "replace"))
        for name, value in call.headers.items()
    )
