"""Kubernetes manifests of a service: a RayService for KubeRay's operator, or a plain Deployment.

Both run the image of the Dockerfile, as a user without rights, and read each secret of the
configuration from a Secret that the operator makes; no manifest holds a secret. What a manifest
does not do: make that Secret, fetch the folders of `local` models and specialists, or open a door
to the network (an Ingress with TLS is the cluster's business).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from router.config.backends import SHIPPED, LocalSettings, SpecialistSettings
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE
from router.config.load import EXPORTS_VARIABLE, secrets_of
from router.deployment.applications import serve_config
from router.keys import Key

HOME, DATA = "/var/lib/waggle", "/var/lib/waggle/data"  # the volume belongs to root, DATA to us
EXPORTS = "/opt/waggle/encoders"
_USER = 10001  # as the Dockerfile has it
_KEYS = "keys.json"
_NOTHING_MORE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_POD = {
    "automountServiceAccountToken": False,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "fsGroup": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the manifests say beside the configuration."""

    name: str
    image: str
    workers: int = 0
    ray_settings: Mapping[str, str] | None = None
    ray_version: str = ""

    @property
    def secret(self) -> str:
        return f"{self.name}-secrets"

    @property
    def labels(self) -> dict[str, str]:
        return {"app.kubernetes.io/name": "waggle", "app.kubernetes.io/instance": self.name}


def rayservice(config: Config, keys: Sequence[Key], cluster: Cluster) -> list[dict[str, Any]]:
    """A RayService and its volume. KubeRay starts Ray, and Ray Serve runs our applications."""
    settings = cluster.ray_settings or {}
    secrets = [TOKEN_VARIABLE, *secrets_of(config)]
    environment = [*_plain({EXPORTS_VARIABLE: EXPORTS, **settings}), *_secret(cluster, secrets)]
    groups = []
    if cluster.workers:
        worker = _ray_pod("worker", cluster, environment, config)
        groups.append(
            {
                "groupName": "workers",
                "replicas": cluster.workers,
                "minReplicas": cluster.workers,
                "maxReplicas": cluster.workers,
                "rayStartParams": {},
                "template": worker,
            }
        )
    service = {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": cluster.name, "labels": cluster.labels},
        "spec": {
            "serveConfigV2": yaml.safe_dump(serve_config(config, keys), sort_keys=False),
            "rayClusterConfig": {
                "rayVersion": cluster.ray_version,
                "headGroupSpec": {
                    "rayStartParams": {"dashboard-host": "0.0.0.0"},
                    "template": _ray_pod("head", cluster, environment, config),
                },
                "workerGroupSpecs": groups,
            },
        },
    }
    return [_volume(cluster, shared=cluster.workers > 0), service]


def deployment(
    text: str, config: Config, keys: Sequence[Key], cluster: Cluster
) -> list[dict[str, Any]]:
    """A Deployment of one pod that runs `waggle serve` with this file, and all that it mounts."""
    labels, port, pages = cluster.labels, config.server.port, config.dashboard_port
    ports = [{"name": "http", "containerPort": port}]
    if config.dashboard.enabled:
        ports.append({"name": "dashboard", "containerPort": pages})
    stored = [key.model_dump(mode="json") for key in keys]
    mounts = [
        {"name": "data", "mountPath": HOME},
        {"name": "config", "mountPath": "/etc/waggle"},
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "shm", "mountPath": "/dev/shm"},
    ]
    served = {
        "name": "waggle",
        "image": cluster.image,
        "args": ["serve", "-c", "/etc/waggle/waggle.yaml", "--host", "0.0.0.0", "--data", DATA],
        "env": [*_plain({EXPORTS_VARIABLE: EXPORTS}), *_secret(cluster, secrets_of(config))],
        "ports": ports,
        "startupProbe": _probe("/health/ready", period=5, failures=60),
        "readinessProbe": _probe("/health/ready", period=5, failures=3),
        "livenessProbe": _probe("/health/live", period=10, failures=6),
        "resources": _resources(config),
        "securityContext": {**_NOTHING_MORE, "readOnlyRootFilesystem": True},
        "volumeMounts": mounts,
    }
    first_keys = {
        "name": "first-keys",  # later keys are made in the pod, by `waggle keys new`
        "image": cluster.image,
        "command": ["sh", "-c", f"umask 077; mkdir -p {DATA}; cp -n /keys/{_KEYS} {DATA}/{_KEYS}"],
        "securityContext": {**_NOTHING_MORE, "readOnlyRootFilesystem": True},
        "volumeMounts": [mounts[0], {"name": "keys", "mountPath": "/keys"}],
    }
    pod = {
        **_POD,
        "terminationGracePeriodSeconds": 60,
        "initContainers": [first_keys],
        "containers": [served],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": cluster.name}},
            {"name": "config", "configMap": {"name": cluster.name}},
            {"name": "keys", "secret": {"secretName": f"{cluster.name}-keys"}},
            {"name": "tmp", "emptyDir": {}},
            _shared_memory(),
        ],
    }
    named = {"metadata": {"name": cluster.name, "labels": labels}}
    keys_named = {"metadata": {"name": f"{cluster.name}-keys", "labels": labels}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", **named, "data": {"waggle.yaml": text}},
        {
            "apiVersion": "v1",
            "kind": "Secret",  # salted hashes: no key can be read from them
            **keys_named,
            "type": "Opaque",
            "stringData": {_KEYS: json.dumps(stored, indent=1)},
        },
        _volume(cluster, shared=False),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            **named,
            "spec": {
                "replicas": 1,  # a data folder has one service
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            **named,
            "spec": {
                "selector": labels,
                "ports": [
                    {"name": p["name"], "port": p["containerPort"], "targetPort": p["name"]}
                    for p in ports
                ],
            },
        },
    ]


def folders_needed(config: Config) -> list[str]:
    """The folders and files of the configuration that the pods must have, too."""
    needed: list[str] = []
    for settings in config.backends.values():
        if isinstance(settings, LocalSettings):
            needed += settings.models.values()
        if isinstance(settings, SpecialistSettings) and not settings.folder.startswith(SHIPPED):
            needed.append(settings.folder)
    return needed


def secret_command(cluster: Cluster, names: Sequence[str]) -> str:
    """The command that makes the Secret from the environment of whoever deploys."""
    token = f"{TOKEN_VARIABLE}=$(openssl rand -hex 24)"
    values = [token if name == TOKEN_VARIABLE else f'{name}="${name}"' for name in names]
    literals = " ".join(f"--from-literal={value}" for value in values)
    return f"kubectl create secret generic {cluster.secret} {literals}"


def _ray_pod(
    part: str, cluster: Cluster, environment: Sequence[Mapping[str, Any]], config: Config
) -> dict[str, Any]:
    named = [("gcs-server", 6379), ("dashboard", 8265), ("client", 10001)] if part == "head" else []
    ports = [*named, ("serve", config.server.port)]
    container = {
        "name": f"ray-{part}",
        "image": cluster.image,
        "env": list(environment),
        "ports": [{"name": name, "containerPort": number} for name, number in ports],
        "resources": _resources(config),
        "securityContext": _NOTHING_MORE,
        "volumeMounts": [
            {"name": "data", "mountPath": HOME},
            {"name": "shm", "mountPath": "/dev/shm"},
        ],
    }
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": cluster.name}},
        _shared_memory(),
    ]
    pod = {**_POD, "containers": [container], "volumes": volumes}
    return {"metadata": {"labels": cluster.labels}, "spec": pod}


def _volume(cluster: Cluster, *, shared: bool) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": cluster.name, "labels": cluster.labels},
        "spec": {
            "accessModes": ["ReadWriteMany" if shared else "ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


def _resources(config: Config) -> dict[str, Any]:
    """Room for the replicas of the backends, each about 120 MiB, beside Ray and the routers."""
    replicas = sum(backend.replicas.min for backend in config.backends.values())
    memory = 2048 + 128 * (replicas + config.server.replicas)
    return {"requests": {"cpu": "1", "memory": f"{memory}Mi"}, "limits": {"memory": "8Gi"}}


def _shared_memory() -> dict[str, Any]:
    return {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}}


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _plain(settings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in settings.items()]


def _secret(cluster: Cluster, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": cluster.secret, "key": name}}}
        for name in names
    ]
