"""Headers and marks that a replica of a backend and the router add to the protocol of OpenAI."""

TOKEN, FAULT, STREAM, REQUEST_ID, SECONDS = (
    b"x-waggle-token",
    b"x-waggle-fault",
    b"x-waggle-stream",
    b"x-waggle-request-id",
    b"x-waggle-seconds",  # how long the backend itself took: until the first byte, in streams
)


# How a stream that cannot end well tells the engine why, before the connection is cut.
BROKEN = b"event: x-waggle-broken\ndata: "


def seconds_asked(retry_after: str) -> float | None:
    """Retry-After in seconds. A date, or nonsense, is no answer."""
    try:
        return max(float(retry_after), 0.0)
    except ValueError:
        return None


SWAP = b"x-waggle-swap"  # seconds that a call waited for its model to be there
