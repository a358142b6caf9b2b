"""`waggle reload`: brings a changed configuration and changed keys to the running service."""

import time
from hashlib import blake2b

import orjson

from router.audit_log import AuditLog
from router.cli.context import CommandContext, in_context, keys_to_serve
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.config.load import secrets_of
from router.deployment import local_service
from router.deployment.local_service import RunningService


@in_context
def reload(here: CommandContext) -> None:
    """Bring the changed configuration and keys to the running service, without failing a request.

    Without --config, the service reads its own configuration file again. A service that started
    without a file reads ./waggle.yaml.
    """
    running = here.service
    config = here.config_in_force
    record_configuration(here, config, "configuration reloaded")
    seconds = deploy_again(config, running)
    counts = f"{len(config.plans)} plans, {len(config.backends)} backends"
    out.print(f"Reloaded in {seconds:.2f} s: {counts}.")


def record_configuration(here: CommandContext, config: Config, what: str) -> None:
    """Write to the audit log which sections of the configuration changed since the last time."""
    log = AuditLog(config.data)
    sections = {
        name: blake2b(orjson.dumps(section, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()
        for name, section in config.model_dump(mode="json").items()
    }
    earlier: dict[str, str] = {}
    for act in log.lines():
        if str(act.get("what", "")).startswith("configuration "):
            earlier |= act.get("after", {}).get("sections", {})
    changed = {name: digest for name, digest in sections.items() if earlier.get(name) != digest}
    before = {"sections": {name: earlier[name] for name in changed if name in earlier}}
    here.record(what, str(here.source), before=before, after={"sections": changed})


def deploy_again(config: Config, running: RunningService) -> float:
    """Deploy this configuration and the stored keys to a running service; return the seconds."""
    if not running.ray_address:
        wrong = "the service is starting again after a failure"
        raise CommandRefused(wrong, "`waggle status` says when it is ready; then try again")
    keys = keys_to_serve(config)
    port = int(running.url.rpartition(":")[2])
    server = config.server.model_copy(update={"port": port})
    config = config.model_copy(update={"server": server})
    missing = local_service.missing_secrets(running, secrets_of(config))
    if missing:
        wrong = f"{', '.join(missing)} was not in the environment when the service started"
        mend = "a running service cannot get a new secret, so set it and start the service again"
        raise InputRefused(wrong, mend)
    local_service.prepare(config, own_ray=running.ours)
    # Import Ray only now: at its import, it reads the environment that `prepare` has set.
    from router.deployment import cluster

    with out.status("Connecting …") as status:
        cluster.connect(running.ray_address)
        status.update("Reloading …")
        begun = time.monotonic()
        try:
            cluster.deploy(config, keys, seconds=180, tell=status.update)
        except (RuntimeError, TimeoutError) as error:
            raise CommandRefused(f"the service did not take the change: {error}") from None
        return time.monotonic() - begun
