"""Signs in to the dashboard from another page, and guesses keys."""

import asyncio

from experiments.attack.attack import Outcome, Target
from experiments.attack.wire import exchange, written
from router.deployment.local_service import find_running

_GUESSES = 200


async def dashboard_login(target: Target) -> Outcome:
    """A form elsewhere, and 200 guesses at once, of which 20 at most are heard."""
    running = find_running(target.service.data)
    assert running is not None
    port = int(running.dashboard.rpartition(":")[2].strip("/"))
    form = b"key=wg-wrong"

    async def post(**headers: str) -> int:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        named = {"Host": f"127.0.0.1:{port}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return (await exchange(port, written("POST", "/login", kind | named, form))).status

    successes = [
        f"a sign-in from {headers} was heard: {status}"
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Origin": f"http://evil.example:{port}"},
        )
        if (status := await post(**headers)) in (200, 303, 401)
    ]
    statuses = await asyncio.gather(*(post() for _ in range(_GUESSES)))
    heard = statuses.count(401)
    if heard > 20:
        successes.append(f"{heard} of {_GUESSES} guesses were heard at once")
    return Outcome(5, tuple(successes), {"guesses_heard_of_200": heard})
