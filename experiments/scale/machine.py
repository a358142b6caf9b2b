"""One, two and four routers on this machine: what they serve, and what each process takes.

The service has everything on, as in `experiments/overhead`, and six budgets bind each request. An
earlier checkout may be measured beside it, with two routers.
"""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.overhead.compare import cost_of_load
from experiments.overhead.cost import cpu_seconds, parts
from experiments.overhead.service import BUILD, Service, body_file, build
from experiments.readme import ROOT
from router.deployment.processes import adopt_orphans, end_descendants
from router.deployment.ray_environment import free_ports

ROUTERS = (1, 2, 4)
COMPARED = 2
SHOWN = ("router", "hive", "learner", "telemetry keeper")
_CONNECTIONS = 64
_TAGS = tuple(f"t{n}" for n in range(6))


class _Routers(Service):
    """A service with so many routers, and budgets of tags."""

    routers = 1

    @property
    def headers(self) -> Sequence[str]:
        return [*super().headers, f"x-waggle-tags: {','.join(_TAGS)}"]

    def write_config(self, *, price: float = 1, reuse: bool = False) -> None:
        super().write_config(price=price, reuse=reuse)
        text = self.config.read_text()
        text = text.replace("server: {", f"server: {{replicas: {self.routers}, ")
        tags = ", ".join(f"{tag}: {{dollars_per_day: 1000000}}" for tag in _TAGS)
        self.config.write_text(f"{text}keys: {{tags: {{{tags}}}}}\n")


def measured(seconds: float, before: Path | None) -> dict[str, Any]:
    build()
    adopt_orphans()
    [port] = free_ports(1)
    upstream = subprocess.Popen([BUILD / "upstream", str(port)])
    try:
        with tempfile.TemporaryDirectory(prefix="ws-") as folder:
            services = {str(n): _of(n, Path(folder), port, seconds) for n in ROUTERS}
            if before is not None:
                services["before"] = _of(COMPARED, Path(folder), port, seconds, before)
            return services
    finally:
        upstream.kill()
        upstream.wait()
        end_descendants()


def _of(
    routers: int, folder: Path, upstream: int, seconds: float, checkout: Path = ROOT
) -> dict[str, Any]:
    service = _Routers(folder / f"{checkout.name}-{routers}", upstream, checkout=checkout)
    service.routers = routers
    with service:
        service.learn()
        service.judge_continually()
        file = body_file(folder, "load")
        cost_of_load(service, file, seconds / 2, _CONNECTIONS)  # warms up
        loaded = cost_of_load(service, file, seconds, _CONNECTIONS)
        service.stop_judging()
        time.sleep(2)
        by_part = parts(service.pid)
        before = {part: cpu_seconds(pids) for part, pids in by_part.items()}
        time.sleep(seconds)
        rest = {part: cpu_seconds(pids) - before[part] for part, pids in by_part.items()}
    return {
        "requests_per_second": loaded["rps"],
        "cpu_ms_a_request": {part: loaded.get(part, 0.0) for part in SHOWN},
        "resting_cpu_ms_a_second": {part: 1e3 * rest.get(part, 0.0) / seconds for part in SHOWN},
    }
