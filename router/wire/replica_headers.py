"""Headers and marks that backend replicas add to OpenAI's protocol."""

SWAP = "x-waggle-swap"  # seconds that a call waited until its model was loaded

# The last event of a broken stream begins so, and tells the router the failure.
BROKEN = b"event: x-waggle-broken\ndata: "


def retry_after_seconds(header: str) -> float | None:
    """The seconds in a Retry-After header; None if the header holds no number."""
    try:
        return max(float(header), 0.0)
    except ValueError:
        return None
