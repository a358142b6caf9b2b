"""`waggle deploy`: prints the service as a file for Ray Serve, for KubeRay or for Kubernetes."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from router.cli.context import CommandContext, ConfigOption, keys_to_serve, stored_keys
from router.cli.terminal import InputRefused
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE
from router.config.load import load, secrets_of
from router.deployment import local_service, manifests
from router.deployment.applications import serve_config
from router.deployment.doctor import PINNED
from router.deployment.manifests import DATA, EXPORTS, HOME, Cluster, folders_needed
from router.keys import Key
from router.version import version


class Form(StrEnum):
    SERVE = "serve"
    RAYSERVICE = "rayservice"
    DEPLOYMENT = "deployment"


def deploy(
    form: Annotated[
        Form,
        typer.Argument(
            help="serve: for `serve deploy`. rayservice: for KubeRay. deployment: without KubeRay."
        ),
    ] = Form.SERVE,
    config_file: ConfigOption = None,
    image: Annotated[
        str | None, typer.Option(help="The image of the pods. Default: waggle:VERSION.")
    ] = None,
    name: Annotated[str, typer.Option(help="The name of all that is made.")] = "waggle",
    workers: Annotated[int, typer.Option(min=0, help="rayservice: nodes beside the head.")] = 0,
    to_screen: Annotated[  # noqa: ARG001 - what is always so
        bool, typer.Option("--print", hidden=True)
    ] = True,
) -> None:
    """Print the service as a file for Ray Serve, KubeRay or Kubernetes. Nothing is deployed.

    Example: waggle deploy rayservice --image registry.example/waggle:1 > waggle.yaml
    """
    here = CommandContext(config_file)
    if form is Form.SERVE:
        _print_serve(here.config)
        return
    cluster = Cluster(
        name=name,
        image=image or f"waggle:{version()}",
        workers=workers,
        ray_settings=local_service.cluster_settings(),
        ray_version=PINNED["ray"],
    )
    config = here.config_with(host="0.0.0.0", data=DATA, encoders=EXPORTS)
    keys = _keys(here.config)
    if form is Form.RAYSERVICE:
        made = manifests.rayservice(config, keys, cluster)
        secrets, folders = (TOKEN_VARIABLE, *secrets_of(config)), folders_needed(config)
    else:
        made = manifests.deployment(here.source.read_text(), config, keys, cluster)
        # The file is used as it is: in a pod, its folders begin where the pod runs.
        secrets, written = secrets_of(config), folders_needed(load(here.source))
        folders = [str(Path(HOME) / folder) for folder in written]
    _print_manifests(made, cluster, folders, secrets)


def _keys(config: Config) -> tuple[Key, ...]:
    keys = stored_keys(config)
    if not [key for key in keys if not key.revoked]:
        wrong = "the pods are open to their network, and there is no key"
        raise InputRefused(wrong, "make one with `waggle keys new NAME`, then deploy")
    return keys


def _print_serve(config: Config) -> None:
    keys = keys_to_serve(config)
    local_service.prepare(config, own_ray=False)
    variables = ", ".join((TOKEN_VARIABLE, *secrets_of(config)))
    lines = [
        "# For `serve deploy`; `waggle deploy rayservice` prints a manifest for KubeRay.",
        f"# Every node needs Waggle installed and these in its environment: {variables}.",
        "# Set these too, before `ray start`, for the fast ingress:",
        *(f"#   {name}={value}" for name, value in local_service.cluster_settings().items()),
    ]
    _print("\n".join(lines))
    _print(yaml.safe_dump(serve_config(config, keys), sort_keys=False))


def _print_manifests(
    made: list[dict[str, Any]], cluster: Cluster, folders: Sequence[str], secrets: Sequence[str]
) -> None:
    lines = ["# For `kubectl apply -f`. No secret is in here."]
    if secrets:
        lines += ["# First make the Secret that it reads:"]
        lines += [f"#   {manifests.secret_command(cluster, secrets)}"]
    if folders:
        lines += ["# The pods also need these folders, from a volume of yours:"]
        lines += [f"#   {folder}" for folder in folders]
    _print("\n".join(lines))
    _print("---\n".join(_Readable.dump(manifest) for manifest in made))


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as they are, so that a person can read the configuration."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    @classmethod
    def dump(cls, manifest: dict[str, Any]) -> str:
        text: str = yaml.dump(manifest, Dumper=cls, sort_keys=False)
        return text


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _block)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - for a file
