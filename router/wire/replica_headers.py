"""Headers and marks that a replica of a backend and a router add to OpenAI's protocol."""

TOKEN = b"x-waggle-token"
FAULT = b"x-waggle-fault"
STREAM = b"x-waggle-stream"
REQUEST_ID = b"x-waggle-request-id"
SECONDS = b"x-waggle-seconds"  # how long the backend took: in a stream, until the first byte
SWAP = b"x-waggle-swap"  # seconds that a call waited until its model was loaded

# The last event of a stream that cannot end well: it tells the router why.
BROKEN = b"event: x-waggle-broken\ndata: "


def retry_after_seconds(header: str) -> float | None:
    """The Retry-After header in seconds; None for a date or for nonsense."""
    try:
        return max(float(header), 0.0)
    except ValueError:
        return None
