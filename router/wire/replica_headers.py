"""Headers and marks that routers and backend replicas add to OpenAI's protocol."""

TOKEN = b"x-waggle-token"
BACKEND = b"x-waggle-backend"  # which of the backends in the process is called
FAULT = b"x-waggle-fault"
STREAM = b"x-waggle-stream"
RAW = b"x-waggle-raw"  # the answer may be of any type: nothing is written into it
REQUEST_ID = b"x-waggle-request-id"
SECONDS = b"x-waggle-seconds"  # how long the backend took; for a stream, until the first byte
SWAP = b"x-waggle-swap"  # seconds that a call waited until its model was loaded
PASS_ON = b"x-waggle-pass-"  # before the name of a header that the backend's server shall get

# The last event of a broken stream begins so, and tells the router the failure.
BROKEN = b"event: x-waggle-broken\ndata: "


def retry_after_seconds(header: str) -> float | None:
    """The seconds in a Retry-After header; None if the header holds no number."""
    try:
        return max(float(header), 0.0)
    except ValueError:
        return None
