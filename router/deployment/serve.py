"""The functions that a Serve config names: Ray Serve calls them to build and scale our
applications.

Deployed files name these functions by their import paths, so the functions must not move.
"""

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingContext

from router.deployment.replicas.backend import BackendReplica
from router.deployment.replicas.hive import HiveReplica
from router.deployment.replicas.learner import LearnerReplica
from router.deployment.replicas.process import STOP_SECONDS
from router.deployment.replicas.router import RouterReplica


def build(args: Mapping[str, str]) -> serve.Application:  # noqa: ARG001 - Serve passes it
    return RouterReplica.bind(HiveReplica.bind(), LearnerReplica.bind())


def build_backend(args: Mapping[str, str]) -> serve.Application:
    deployment = serve.deployment(
        BackendReplica,
        name=args["name"],
        max_ongoing_requests=1000,
        health_check_period_s=1,
        graceful_shutdown_timeout_s=STOP_SECONDS,
    )
    return deployment.bind()


def scale(context: AutoscalingContext) -> tuple[int, dict[str, Any]]:
    """The number of replicas that keeps the calls in flight on each at the configured number.

    Serve counts only calls through its handles. Our calls go over HTTP, so each replica reports its
    own.
    """
    ongoing = sum(context.aggregated_metrics.get("ongoing", {}).values())
    target = float((context.config and context.config.target_ongoing_requests) or 1)
    return max(1, -int(-ongoing // target)), {}
