"""`waggle ...`: everything a person runs."""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.tree import Tree

from router.cli import client
from router.cli.batch import batch
from router.cli.keys import keys_app
from router.cli.learner import policy_app, scores, warm
from router.cli.report import report_command
from router.cli.sandbox import sandbox_app
from router.cli.service import _reload, _url, read_keys, running_service
from router.cli.solutions import solutions_app
from router.cli.specialists import prepare as prepare_specialists
from router.cli.specialists import specialist_app
from router.cli.telemetry import sql, telemetry_app
from router.cli.terminal import ConfigOption, DataOption, Stop, UrlOption, err, out, read
from router.cli.trials import routes_app, simplify, trial_app
from router.config.config import Config
from router.config.environment import TOKEN_VARIABLE, environment
from router.config.load import EMBEDDED, find, secrets_of
from router.deployment import doctor
from router.deployment import local_service as service
from router.deployment.applications import serve_config
from router.deployment.dashboard_process import Pages
from router.deployment.ray_environment import haproxy
from router.keys import Key
from router.plans.shown import ASSUMED, add_plan
from router.routing.ladder import ladder_of
from router.telemetry.store import catalog
from router.wire.addresses import reachable

app = typer.Typer(
    help="A self-optimizing router for language models. Start with: waggle serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys_app, name="keys")
app.add_typer(policy_app, name="policy")
app.add_typer(telemetry_app, name="telemetry")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(specialist_app, name="specialist")
app.add_typer(solutions_app, name="solutions")
app.add_typer(trial_app, name="trial")
app.add_typer(routes_app, name="routes")


def _not_installed() -> None:
    raise Stop("this installation is older than the code and lacks this command: run `make env`", 2)


# The dashboard and the demo stand above the command line, so each registers its own command.
_registered = {entry.name: entry for entry in entry_points(group="waggle.commands")}
for _name in ("dashboard", "demo"):
    if _name in _registered:
        app.command(_name)(_registered[_name].load())
    else:
        any_arguments = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(_name, context_settings=any_arguments)(_not_installed)


@app.command()
def serve(
    config_file: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Overrides server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Overrides server.port.")] = None,
    data: DataOption = None,
    ray_address: Annotated[
        str | None, typer.Option(help="Run on this Ray cluster instead of an own one.")
    ] = None,
) -> None:
    """Start the service and stay with it; Ctrl-C stops it cleanly."""
    folder = str(data) if data else None
    config = read(config_file, host=host, port=port, data=folder)
    keys = read_keys(config)
    if (running := service.find_running(config.data)) is not None:
        raise Stop(f"a service already runs on {config.data}: {running.url} (pid {running.pid})")
    if ray_address is None:
        service.end_left_behind(config.data)
        if not doctor.port_free(config.server.host, config.server.port):
            taken = f"{config.server.host}:{config.server.port}"
            raise Stop(f"{taken} is taken: stop what listens there, or give another --port")
    begun = time.monotonic()
    prepare_specialists(config, config_file)
    service.adopt_orphans()
    signal.signal(signal.SIGTERM, _interrupt)
    ray_folder = service.prepare(config, own_ray=ray_address is None, starting=True)
    status = out.status("Starting Ray …")
    status.start()
    # Ray reads its environment when it is imported, so not before it was prepared.
    from router.deployment import cluster

    code, ended, pages = 0, True, Pages(config)
    try:
        if ray_address is None:
            address = cluster.start_ray(ray_folder)
        else:
            address = ray_address
            cluster.connect(ray_address)
        for number in (signal.SIGTERM, signal.SIGINT):  # Ray sets its own, which leave orphans
            signal.signal(number, _interrupt)
        cluster.start_serve(config)
        status.update("Starting the service …")
        cluster.deploy(config, keys, seconds=180, tell=status.update)
        url = f"http://{reachable(config.server.host)}:{config.server.port}"
        client.wait_until_ready(url, seconds=30)
        if ray_address is None and not catalog.appeared(config.telemetry_folder, seconds=30):
            out.print("[yellow]Telemetry is written, but cannot be asked yet: see logs/waggle.log")
        me = os.getpid()
        source = str(find(config_file).resolve())
        ours = ray_address is None
        record = service.RunningService(me, service.born(me), url, address, source, ours, pages.url)
        service.remember(config.data, record)
        status.stop()
        _welcome(config, keys, record, time.monotonic() - begun)
        while True:
            pages.watch()
            time.sleep(1)
    except KeyboardInterrupt:
        status.update("Stopping …")
        status.start()
    except (RuntimeError, TimeoutError) as error:
        code = 1
        status.stop()
        err.print(f"[red]waggle:[/] {escape(str(error))}", soft_wrap=True)
        err.print(f"The logs are in {config.data}/ray/session_latest/logs")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        pages.close()
        if ray_address is None:
            ended = service.within(25.0, cluster.stop)
            service.end_descendants()
            service.tidy(config.data)
        else:
            cluster.remove()
        service.forget(config.data)
        status.stop()
    out.print("Stopped. Nothing is left running.")
    if not ended:  # Ray would wait for what is gone, and then abort
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _welcome(
    config: Config, keys: Sequence[Key], record: service.RunningService, seconds: float
) -> None:
    url = record.url
    asked = _example_request(config)
    header = " -H 'authorization: Bearer wg-…'" if keys else ""
    json_header = "-H 'content-type: application/json'"
    curl = f"curl {url}/v1/chat/completions{header} {json_header} -d '{asked}'"
    rows = {
        "OpenAI base_url": f"{url}/v1",
        "Models": ", ".join(("auto", *config.plans, *config.backends)),
        "Keys": str(len(keys) or "none: loopback only"),
        "Health": f"{url}/health/ready",
        "Metrics": f"{url}/metrics",
        "Dashboard": record.dashboard or "none: dashboard.enabled is false",
        "Telemetry": f"{config.data}/telemetry",
        "Logs": f"{config.data}/logs",
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        grid.add_row(f"[bold]{name}[/]", escape(value))
    out.print(Panel(grid, title=f"Waggle is up, {seconds:.1f} s", expand=False))
    out.print("Try it:\n")
    out.print(curl, soft_wrap=True, markup=False)
    out.print('\nor: waggle ask "…"    (another terminal)    Ctrl-C stops.')


def _example_request(config: Config) -> str:
    if any(backend.kind == "generator" for backend in config.backends.values()):
        prompt = 'Three customers: {\\"name\\": \\"string\\", \\"age\\": \\"int 18..90\\"}'
    else:
        prompt = "Why do bees dance?"
    return f'{{"model": "auto", "messages": [{{"role": "user", "content": "{prompt}"}}]}}'


@app.command()
def check(
    config_file: ConfigOption = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of waggle.yaml, for editors.")
    ] = False,
) -> None:
    """Validate a configuration and show what would run. Starts nothing."""
    if schema:
        print(json.dumps(Config.model_json_schema(), indent=2))  # noqa: T201 - for a file
        return
    config = read(config_file)
    source = find(config_file)
    name = "the embedded default" if source == EMBEDDED else str(source)
    tree = Tree(f"[bold]{escape(name)}[/] is valid")
    server = config.server
    tree.add(f"server  http://{server.host}:{server.port}, {server.replicas} routers")
    backends = tree.add("backends")
    for label, backend in config.backends.items():
        price = f"${backend.price.input:g} in, ${backend.price.output:g} out per million tokens"
        where = getattr(backend, "base_url", "")
        replicas = f"{backend.replicas.min}-{backend.replicas.max} replicas"
        told = f"[bold]{escape(label)}[/] {backend.kind} {where} {price}; {replicas}; "
        backends.add(told + ", ".join(backend.capabilities))
    plans = tree.add(f"plans  [dim]expected cost {ASSUMED}[/]")
    for label, plan in config.plans.items():
        add_plan(plans, config, label, plan)
    objective = config.objective
    if objective.strategy == "ladder":
        ladder = ladder_of(objective.ladder, config.asking)
        steps = [str(ladder.rungs[0])]
        pairs = zip(ladder.cuts, ladder.rungs[1:], strict=True)
        steps += [f"from {cut:g} {rung}" for cut, rung in pairs]
        tree.add(f"strategy  ladder on complexity 0-10: {', '.join(steps)}")
    else:
        tree.add(f"strategy  always {objective.plan}")
    keys = read_keys(config)
    tree.add(f"keys  {len(keys)} in {config.keys_file}" if keys else "keys  none: loopback only")
    out.print(tree)


@app.command()
def ask(
    prompt: str,
    model: Annotated[str, typer.Option(help='A plan, a backend, or "auto".')] = "auto",
    url: UrlOption = None,
    data: DataOption = None,
    config_file: ConfigOption = None,
) -> None:
    """Ask the running service and watch the answer come. A key is read from WAGGLE_API_KEY."""
    where = url or _url(config_file, data)
    begun = time.monotonic()
    first = 0.0
    try:
        with client.stream_chat(where, prompt, model, environment("WAGGLE_API_KEY")) as reply:
            for piece in reply.pieces():
                first = first or time.monotonic() - begun
                out.file.write(piece)
                out.file.flush()
    except client.ServiceRefused as refusal:
        raise Stop(str(refusal)) from None
    out.print()
    told = reply.headers
    cost = f"${reply.cost_usd:.6f}" if reply.cost_usd is not None else "unknown"
    seconds = time.monotonic() - begun
    err.print(
        f"[dim]plan {told.get('x-waggle-plan')} · backend {told.get('x-waggle-backend')} · "
        f"cost {cost}{' (estimated)' if reply.estimated else ''} · "
        f"{1000 * seconds:.0f} ms, first word {1000 * first:.0f} ms · "
        f"request {told.get('x-waggle-request-id')}[/]"
    )


@app.command()
def status(
    config_file: ConfigOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Is the service up, and how are its backends?"""
    config = read(config_file, data=str(data) if data else None)
    running = running_service(config)
    try:
        told = client.get_json(running.url + "/health/ready")
    except client.ServiceRefused as refusal:
        raise Stop(f"the process {running.pid} lives but does not answer: {refusal}") from None
    if as_json:
        known = {"url": running.url, "dashboard": running.dashboard, "pid": running.pid}
        print(json.dumps({**known, **told}))  # noqa: T201
        return
    out.print(f"{running.url} is [bold]{told['status']}[/] (pid {running.pid})")
    if running.dashboard:
        out.print(f"dashboard {running.dashboard}")
    if "telemetry" in told:
        out.print(f"[yellow]Telemetry is {escape(told['telemetry'])}[/]")
    table = Table("backend", "state", "replicas", box=None)
    for name, backend in told["backends"].items():
        table.add_row(name, backend["state"], str(backend["replicas"]))
    out.print(table)


@app.command()
def stop(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Stop the service that runs on this data folder."""
    config = read(config_file, data=str(data) if data else None)
    running = running_service(config)
    os.kill(running.pid, signal.SIGTERM)
    until = time.monotonic() + 30
    with out.status("Stopping …"):
        while running.alive and time.monotonic() < until:
            time.sleep(0.1)
    if running.alive:
        raise Stop(f"pid {running.pid} has not ended within 30 s: see its terminal")
    out.print("Stopped.")


@app.command()
def reload(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Bring a changed configuration (and changed keys) to the running service. No request fails."""
    config = read(config_file, data=str(data) if data else None)
    running = running_service(config)
    if config_file is None and Path(running.config).is_file():
        config = read(Path(running.config), data=str(data) if data else None)
    seconds = _reload(config, running)
    out.print(
        f"Reloaded in {seconds:.2f} s: {len(config.plans)} plans, {len(config.backends)} backends."
    )


@app.command()
def deploy(
    config_file: ConfigOption = None,
    print_: Annotated[
        bool, typer.Option("--print", help="Write the Serve config to standard output.")
    ] = False,
) -> None:
    """The Serve config for `serve deploy` or KubeRay."""
    config = read(config_file)
    if not print_:
        raise Stop("say --print: waggle deploy --print > serve.yaml; serve deploy serve.yaml", 2)
    keys = read_keys(config)
    service.prepare(config, own_ray=False)
    needed = ", ".join((TOKEN_VARIABLE, *secrets_of(config)))
    lines = [
        "# For `serve deploy`, or spec.serveConfigV2 of a KubeRay RayService.",
        f"# Every node needs Waggle installed and these in its environment: {needed}.",
        "# Set as well, before `ray start`, for the fast ingress:",
        *(f"#   {name}={value}" for name, value in service.cluster_settings().items()),
    ]
    print("\n".join(lines))  # noqa: T201 - for a file
    print(yaml.safe_dump(serve_config(config, keys), sort_keys=False))  # noqa: T201


@app.command("doctor")
def doctor_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """What this machine can and cannot do, and how to mend what it cannot."""
    config = read(config_file, data=str(data) if data else None)
    marks = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "bad": "[red]bad[/]"}
    table = Table("", "what", "found", "mend", box=None)
    worst = False
    for finding in doctor.examine(config, service.find_running(config.data)):
        worst = worst or finding.verdict == "bad"
        cells = (finding.what, finding.found, finding.mend)
        table.add_row(marks[finding.verdict], *map(escape, cells))
    out.print(table)
    if not haproxy():
        out.print("Without HAProxy the default proxy is used: it works, and is slower.")
    raise typer.Exit(1 if worst else 0)


app.command()(scores)
app.command()(warm)
app.command()(simplify)
app.command("report")(report_command)
app.command()(sql)
app.command()(batch)


def main() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
