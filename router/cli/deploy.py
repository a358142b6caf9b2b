"""`waggle deploy --print`: prints the service as a file for `serve deploy` or KubeRay."""

from typing import Annotated

import typer
import yaml

from router.cli.context import CommandContext, ConfigOption, keys_to_serve
from router.cli.terminal import InputRefused
from router.config.environment import TOKEN_VARIABLE
from router.config.load import secrets_of
from router.deployment import local_service
from router.deployment.applications import serve_config


def deploy(
    config_file: ConfigOption = None,
    to_screen: Annotated[
        bool, typer.Option("--print", help="Write the Serve config to standard output.")
    ] = False,
) -> None:
    """Print the Serve config for `serve deploy` or KubeRay.

    Example: waggle deploy --print > serve.yaml; serve deploy serve.yaml
    """
    config = CommandContext(config_file).config
    if not to_screen:
        mend = "waggle deploy --print > serve.yaml; serve deploy serve.yaml"
        raise InputRefused("say --print", mend)
    keys = keys_to_serve(config)
    local_service.prepare(config, own_ray=False)
    variables = ", ".join((TOKEN_VARIABLE, *secrets_of(config)))
    lines = [
        "# For `serve deploy`, or spec.serveConfigV2 of a KubeRay RayService.",
        f"# Every node needs Waggle installed and these in its environment: {variables}.",
        "# Set these too, before `ray start`, for the fast ingress:",
        *(f"#   {name}={value}" for name, value in local_service.cluster_settings().items()),
    ]
    print("\n".join(lines))  # noqa: T201 - for a file
    print(yaml.safe_dump(serve_config(config, keys), sort_keys=False))  # noqa: T201
