"""Slows down whoever guesses keys at the login, and never locks an operator out for good.

A wrong key uses up the allowance of the sender's address, and the allowance of all addresses. Both
refill by themselves. Wrong keys with the id of a real key have allowances of their own, so guesses
at random leave the operator's sign-in alone, even from the operator's own address.

Not covered: somebody who knows an operator's key id and guesses from the operator's own address can
make the operator wait, a few seconds at a time.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

_MOST_ADDRESSES = 4096


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many wrong keys are answered at once, and how many seconds give back one of them."""

    burst: int
    seconds: float


PER_ADDRESS = Allowance(10, 5.0)
TOGETHER = Allowance(100, 0.5)


@dataclass
class Guesses:
    """Counts wrong keys. `at` is the time in seconds on any clock that only goes forward."""

    _addresses: OrderedDict[Hashable, tuple[float, float]] = field(default_factory=OrderedDict)
    _together: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def addresses(self) -> int:
        """How many addresses are remembered."""
        return len(self._addresses)

    def wait(self, address: str, key_id: str, at: float) -> float:
        """Seconds until this address may try a key with this id again; 0 if it may now."""
        own = self._addresses.get((_network(address), key_id), (0.0, at))
        all_others = self._together.get(key_id, (0.0, at))
        return max(_wait(PER_ADDRESS, own, at), _wait(TOGETHER, all_others, at))

    def wrong(self, address: str, key_id: str, at: float) -> None:
        """Count a wrong key. `key_id` is empty unless a key with this id exists."""
        sender = (_network(address), key_id)
        self._addresses[sender] = _spent(PER_ADDRESS, self._addresses.get(sender, (0.0, at)), at)
        self._addresses.move_to_end(sender)
        if len(self._addresses) > _MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        self._together[key_id] = _spent(TOGETHER, self._together.get(key_id, (0.0, at)), at)


def _spent(allowance: Allowance, before: tuple[float, float], at: float) -> tuple[float, float]:
    """The number of wrong keys that count now, one more than before, and the time."""
    return _counting(allowance, before, at) + 1, at


def _counting(allowance: Allowance, before: tuple[float, float], at: float) -> float:
    count, since = before
    return max(count - (at - since) / allowance.seconds, 0.0)


def _wait(allowance: Allowance, before: tuple[float, float], at: float) -> float:
    excess = _counting(allowance, before, at) + 1 - allowance.burst
    return max(excess * allowance.seconds, 0.0)


def _network(address: str) -> str:
    """The address; of IPv6 the first half, because a caller owns all of the second half."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(parsed)[:45] if not isinstance(parsed, IPv6Address) else parsed.exploded[:19]
