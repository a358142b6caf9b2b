"""What `waggle serve` says if it starts without a file although models could be used.

It only lists: no request that could cost anything is sent, and nothing is used unasked.
"""

import asyncio
from collections.abc import Mapping, Sequence

from router.discovery.asking import Answered, ask_all
from router.discovery.providers import Place, places

_SECONDS = 0.5  # a start waits no longer for servers of this machine


def notice(variables: Mapping[str, str]) -> str:
    """Two lines that name the keys and the local servers, and the command; empty without any."""
    servers = [each for each in places(variables) if isinstance(each, Place)]
    keys = [each.key for each in servers if not each.provider.local]
    local = asyncio.run(_answering([each for each in servers if each.provider.local]))
    usable = [*keys, *local]
    if not usable:
        return ""
    return (
        f"Found {_listed(usable)}. This start uses none of them: nothing is spent unasked.\n"
        "`waggle init` writes a waggle.yaml with their models; the next `waggle serve` uses it."
    )


async def _answering(servers: Sequence[Place]) -> list[str]:
    outcomes = [each async for each in ask_all(servers, seconds=_SECONDS)]
    return [each.title for _, each in sorted(outcomes, key=lambda pair: pair[0])
            if isinstance(each, Answered)]  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
