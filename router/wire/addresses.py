"""Server addresses: whether a host is loopback, and how to reach a server from this machine."""

from ipaddress import ip_address


def reachable(host: str) -> str:
    """The host to connect to for a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
