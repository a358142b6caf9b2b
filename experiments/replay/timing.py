"""What learning and deciding take, with the policies that the service publishes after a stream."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from experiments.replay.playing import Conditions, play
from experiments.replay.service import Setup, Waggle
from experiments.replay.streams import Stream
from learner.policy import Arm

_DECISIONS = 1_000


def timings(stream: Stream) -> dict[str, float]:
    """Microseconds of a decision, and milliseconds of reading answers and of a new policy."""
    player = Waggle(stream, Setup())
    play(stream, player, Conditions())
    contexts = [features.context for features in stream.features][-_DECISIONS:]
    policy, arms = player.policy, [Arm(name) for name in player.plans.names]
    priced = policy.priced(dict.fromkeys(arms, 0.001))
    decisions = [_seconds(partial(priced.distribution, context, arms)) for context in contexts]
    publishing = []
    for step in range(min(200, len(stream))):
        player.answer(step, player.arm_of(arms[step % len(arms)]))
        player.learn(step, 0, 0.5)
        publishing.append(_seconds(player.publish))
    player.close()
    return {
        "plans": float(len(arms)),
        "features": float(len(policy.posterior.names)),
        "decision_us_p50": 1e6 * float(np.median(decisions)),
        "decision_us_p95": 1e6 * float(np.quantile(decisions, 0.95)),
        "publish_ms_p50": 1e3 * float(np.median(publishing)),
        "publish_ms_max": 1e3 * float(max(publishing)),
    }


def _seconds(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
