"""What `waggle serve` shows when the service is up."""

from collections.abc import Sequence

from rich.panel import Panel

from router.cli.terminal import facts, out
from router.config.config import Config
from router.config.plan_steps import lead
from router.deployment.local_service import RunningService
from router.keys import Key


def welcome(config: Config, keys: Sequence[Key], record: RunningService, seconds: float) -> None:
    url = record.url
    rows = {
        "OpenAI base_url": f"{url}/v1",
        "Models": ", ".join(dict.fromkeys(("auto", *config.plans, *config.backends))),
        "Keys": str(len(keys) or "none: loopback only"),
        "Health": f"{url}/health/ready",
        "Metrics": f"{url}/metrics",
        "Dashboard": record.dashboard or "none: dashboard.enabled is false",
        "Telemetry": f"{config.data}/telemetry",
        "Logs": f"{config.data}/logs",
    }
    out.print(Panel(facts(rows), title=f"Waggle is up, {seconds:.1f} s", expand=False))
    header = " -H 'authorization: Bearer wg-…'" if keys else ""
    json_header = "-H 'content-type: application/json'"
    body = _example_request(config)
    curl = f"curl {url}/v1/chat/completions{header} {json_header} -d '{body}'"
    out.print("Try it:\n")
    out.print(curl, soft_wrap=True, markup=False)
    for name in config.last_resorts:
        model = ", ".join(config.backends[lead(name, config.plans)].aliases)
        out.print(
            f"\nWhat no other plan can answer goes to [bold]{name}[/]: a small model ({model}), "
            "fluent and often wrong. `waggle init` finds better ones."
        )
    out.print('\nor: waggle ask "…"    (another terminal)    Ctrl-C stops.')


def _example_request(config: Config) -> str:
    no_model = not any(backend.is_model for backend in config.backends.values())
    if no_model and any(backend.kind == "generator" for backend in config.backends.values()):
        prompt = 'Three customers: {\\"name\\": \\"string\\", \\"age\\": \\"int 18..90\\"}'
    else:
        prompt = "Why do bees dance?"
    return f'{{"model": "auto", "messages": [{{"role": "user", "content": "{prompt}"}}]}}'
