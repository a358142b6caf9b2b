"""Turns a configuration into Serve applications, in the form that `serve deploy` and KubeRay read.

One application holds the routers, the learner and the hive. Each backend is an application of its
own, so that a change of one backend does not disturb the others. This module imports no Ray.
"""

import time
from collections.abc import Sequence
from typing import Any

from router.config.backends import AnyBackend
from router.config.config import Config
from router.domain import new_id
from router.keys import Key

APPLICATION = "waggle"
_BACKEND_PREFIX = "waggle-backend-"
_SMALL = {"num_cpus": 0.05}


def application_of(backend: str) -> str:
    return _BACKEND_PREFIX + backend


def backend_of(application: str) -> str:
    return application.removeprefix(_BACKEND_PREFIX)


def is_ours(application: str) -> bool:
    return application == APPLICATION or application.startswith(_BACKEND_PREFIX)


def serve_config(
    config: Config, keys: Sequence[Key], *, backends_of: Config | None = None
) -> dict[str, Any]:
    """The input of `serve deploy`. `backends_of`: another configuration whose backends also run."""
    others = backends_of.backends if backends_of else {}
    backends = {**others, **config.backends}
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": config.server.host, "port": config.server.port},
        "logging_config": {"enable_access_log": False},
        "applications": [
            _router_application(config, keys),
            *(_backend_application(name, backends[name], str(config.data)) for name in backends),
        ],
    }


def _router_application(config: Config, keys: Sequence[Key]) -> dict[str, Any]:
    written = config.model_dump(mode="json")
    router_settings = {
        "config": written,
        "keys": [key.model_dump(mode="json") for key in keys],
        "deployed": new_id(time.time()),
    }
    return {
        "name": APPLICATION,
        "route_prefix": "/",
        "import_path": "router.deployment.serve:build",
        "deployments": [
            {
                "name": "router",
                "num_replicas": config.server.replicas,
                "user_config": router_settings,
                "ray_actor_options": _SMALL,
            },
            {"name": "learner", "user_config": {"config": written}, "ray_actor_options": _SMALL},
            {
                "name": "hive",
                "user_config": {"data": str(config.data)},
                "ray_actor_options": _SMALL,
            },
        ],
    }


def _backend_application(name: str, settings: AnyBackend, data: str) -> dict[str, Any]:
    replicas = settings.replicas
    deployment: dict[str, Any] = {
        "name": name,
        "user_config": {"name": name, "data": data, "backend": settings.model_dump(mode="json")},
        "ray_actor_options": {"num_cpus": settings.cpus, "num_gpus": settings.gpus},
    }
    if replicas.max > replicas.min:
        deployment["autoscaling_config"] = {
            "min_replicas": replicas.min,
            "max_replicas": replicas.max,
            "target_ongoing_requests": replicas.ongoing,
            "upscale_delay_s": 2,
            "downscale_delay_s": 60,
            "metrics_interval_s": 1,
            "look_back_period_s": 2,
            "policy": {"policy_function": "router.deployment.serve:scale"},
        }
    else:
        deployment["num_replicas"] = replicas.min
    return {
        "name": application_of(name),
        "route_prefix": None,
        "import_path": "router.deployment.serve:build_backend",
        "args": {"name": name},
        "deployments": [deployment],
    }
