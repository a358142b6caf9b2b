"""Turns a configuration into Serve applications, in the form that `serve deploy` and KubeRay read.

One application holds the routers, the learner and the hive. Small backends of a sort share an
application and its process; every other backend has an application of its own, so that neither a
change of it nor its end disturbs others. This module imports no Ray.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from router.config.backends import AnyBackend
from router.config.config import Config
from router.config.values import BackendSettings
from router.domain import new_id
from router.keys import Key

APPLICATION = "waggle"
_BACKEND_PREFIX = "waggle-backend-"
_SHARED_PREFIX = "waggle-shared-"
_SMALL = {"num_cpus": 0.05}


def application_of(backend: str, settings: BackendSettings) -> str:
    """The application that runs a backend."""
    shared = settings.shared_process
    return _SHARED_PREFIX + shared if shared else _BACKEND_PREFIX + backend


def placed(config: Config) -> set[tuple[str, str]]:
    """Each backend with its application."""
    return {(name, application_of(name, each)) for name, each in config.backends.items()}


def deployment_of(application: str) -> str:
    """The name of the deployment in a backend's application: the backend's own, or `network`."""
    return application.removeprefix(_BACKEND_PREFIX).removeprefix(_SHARED_PREFIX)


def is_shared(application: str) -> bool:
    return application.startswith(_SHARED_PREFIX)


def is_ours(application: str) -> bool:
    return application == APPLICATION or application.startswith((_BACKEND_PREFIX, _SHARED_PREFIX))


def serve_config(
    config: Config, keys: Sequence[Key], *, backends_of: Config | None = None
) -> dict[str, Any]:
    """The input of `serve deploy`. `backends_of`: another configuration whose backends also run."""
    members: dict[str, dict[str, AnyBackend]] = {}
    for each in (backends_of, config) if backends_of is not None else (config,):
        for name, settings in each.backends.items():
            members.setdefault(application_of(name, settings), {})[name] = settings
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": config.server.host, "port": config.server.port},
        "logging_config": {"enable_access_log": False},
        "applications": [
            _router_application(config, keys),
            *(_backend_application(name, members[name], str(config.data)) for name in members),
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


def _backend_application(
    application: str, backends: Mapping[str, AnyBackend], data: str
) -> dict[str, Any]:
    settings = next(iter(backends.values()))  # those that share have the same of what is used here
    replicas, name = settings.replicas, deployment_of(application)
    written = {each: backend.model_dump(mode="json") for each, backend in backends.items()}
    deployment: dict[str, Any] = {
        "name": name,
        "user_config": {"data": data, "backends": written},
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
        "name": application,
        "route_prefix": None,
        "import_path": "router.deployment.serve:build_backend",
        "args": {"name": name},
        "deployments": [deployment],
    }
