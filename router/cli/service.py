"""TODO: what this module promises."""

import time
from pathlib import Path

from router.cli.terminal import Stop, out, read
from router.config.config import Config
from router.config.load import secrets_of
from router.deployment import local_service as service
from router.keys import Key, load_keys


def read_keys(config: Config) -> tuple[Key, ...]:
    try:
        keys = load_keys(config.keys_file)
    except ValueError as error:
        raise Stop(str(error), 2) from None
    if not keys and not config.loopback:
        host = config.server.host
        hint = "make one with `waggle keys new NAME`, or set server.host to 127.0.0.1"
        raise Stop(f"server.host = {host} is open to the network, and there is no key: {hint}", 2)
    return keys


def running_service(config: Config) -> service.RunningService:
    running = service.find_running(config.data)
    if running is None:
        raise Stop(f"no service runs on {config.data}: start one with `waggle serve`")
    return running


def _url(config_file: Path | None, data: Path | None) -> str:
    config = read(config_file, data=str(data) if data else None)
    return running_service(config).url


def _reload(config: Config, running: service.RunningService) -> float:
    keys = read_keys(config)
    port = int(running.url.rpartition(":")[2])
    if port != config.server.port:
        server = config.server.model_copy(update={"port": port})
        config = config.model_copy(update={"server": server})
    missing = service.missing_secrets(running, secrets_of(config))
    if missing:
        names = ", ".join(missing)
        hint = "a running service cannot be given a new secret: set it and start again"
        raise Stop(f"{names} was not in the environment when the service started; {hint}", 2)
    service.prepare(config, own_ray=running.ours)
    from router.deployment import cluster

    with out.status("Connecting …") as status:
        cluster.connect(running.ray_address)
        status.update("Reloading …")
        begun = time.monotonic()
        try:
            cluster.deploy(config, keys, seconds=180, tell=status.update)
        except (RuntimeError, TimeoutError) as error:
            raise Stop(f"the change did not come up: {error}") from None
        return time.monotonic() - begun
