"""`waggle check`: shows what a configuration would run, without starting anything."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape
from rich.tree import Tree

from router.cli.budgets import budget_lines
from router.cli.check_facts import models_of, table_of, unit_prices, warnings
from router.cli.context import CommandContext, ConfigOption, keys_to_serve
from router.cli.guard import guard_warnings, line_of
from router.cli.terminal import out
from router.config.backends import AnyBackend
from router.config.config import Config
from router.config.facts import sources
from router.config.load import EMBEDDED, as_written
from router.config.network import NetworkSettings
from router.config.plan_steps import lead
from router.config.plans import AnyPlan, Code, Committee
from router.plans.compiled import Plans
from router.plans.designs import records_of
from router.plans.shown import ASSUMED, add_plan
from router.routing.ladder import configured_ladder
from router.routing.strategies import configured
from router.trials.ledger import Ledger


def check(
    config_file: ConfigOption = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of waggle.yaml, for editors.")
    ] = False,
) -> None:
    """Validate a configuration and show what would run, without starting anything.

    The command shows every mistake at once, with its line, the broken rule and how to mend it.
    """
    if schema:
        print(json.dumps(Config.model_json_schema(), indent=2))  # noqa: T201 - for a file
        return
    here = CommandContext(config_file)
    config, source = here.config, here.source
    models, now = models_of(config.backends), dt.datetime.now(dt.UTC)
    written = as_written(source).backends
    origins = {name: sources(written[name], now) for name in models}
    name = "the embedded default" if source == EMBEDDED else str(source)
    tree = Tree(f"[bold]{escape(name)}[/] is valid")
    server = config.server
    tree.add(f"server  http://{server.host}:{server.port}, {server.replicas} routers")
    backends = tree.add("backends")
    for label, backend in config.backends.items():
        off = f"[yellow]{escape(backend.off)}[/]; " if backend.off else ""
        backends.add(f"[bold]{escape(label)}[/] {off}{_backend_line(backend)}")
    plans = tree.add(f"plans  [dim]expected cost {ASSUMED}[/]")
    compiled = Plans(config)
    for label in compiled.names:
        branch = add_plan(plans, compiled, label)
        reason = compiled[label].impossible({n: b.off for n, b in config.backends.items()})
        if reason:
            branch.add(f"[yellow]answers nothing: {escape(reason)}[/]")
        for line in _designs(compiled[label].tree, config):
            branch.add(f"[dim]{escape(line)}[/]")
    strategy = tree.add(f"strategy  {escape(_strategy_line(config))}")
    for line in _exceptions(config):
        strategy.add(escape(line))
    if config.guardrails:
        guards = tree.add("guards  [dim]in this order[/]")
        for guard in config.guardrails:
            guards.add(f"[bold]{escape(guard.name)}[/] {escape(line_of(guard))}")
    keys = keys_to_serve(config)
    shown = tree.add(
        f"keys  {len(keys)} in {config.keys_file}" if keys else "keys  none: loopback only"
    )
    for line in budget_lines(config.keys):
        shown.add(escape(line))
    out.print(tree)
    if models:
        out.print(table_of(models, origins))
    for warning in (*warnings(models, origins, compiled), *guard_warnings(config)):
        out.print(f"[yellow]warning[/]  {escape(warning)}", soft_wrap=True)


def _backend_line(backend: AnyBackend) -> str:
    where = getattr(backend, "model", "") or ""
    if isinstance(backend, NetworkSettings):
        where = " ".join(backend.addresses)
    price = "price unknown"
    if backend.price is not None:
        price = f"${backend.price.input:g} in, ${backend.price.output:g} out per million tokens"
        price += unit_prices(backend.price)
    replicas = f"{backend.replicas.min}-{backend.replicas.max} replicas"
    capabilities = ", ".join(backend.capabilities)
    weight = "" if backend.weight == 1 else f"; weight {backend.weight:g}"
    return f"{backend.kind} {where} {price}; {replicas}; {capabilities}{weight}"


def _designs(plan: AnyPlan, config: Config) -> Iterator[str]:
    """The committees that a model designed for a plan so far."""
    if not isinstance(plan, Committee) or plan.committee.design is None:
        return
    for record in records_of(plan, config.committees_folder):
        members = ", ".join(
            f"{each['ask']} as {each['role']}" if each["role"] else each["ask"]
            for each in record["members"]
        )
        used = dt.datetime.fromtimestamp(record["used_at"], dt.UTC)
        yield (
            f"for {record['pattern'] or 'any request'}: {members}; rounds: {record['rounds']}; "
            f"used last on {used:%Y-%m-%d}"
        )


def _strategy_line(config: Config) -> str:
    """The strategy of the configuration, and the plans that the strategy chooses among."""
    objective = config.objective
    ladder = configured_ladder(Plans(config))
    steps = [str(ladder.rungs[0])]
    steps += [
        f"from {cut:g} {rung}" for cut, rung in zip(ladder.cuts, ladder.rungs[1:], strict=True)
    ]
    by_rule = f"ladder on complexity 0-10: {', '.join(steps)}"
    match objective.strategy:
        case "ladder":
            return by_rule
        case "fixed":
            return f"always {objective.plan}"
        case "bandit":
            before = f"always {objective.plan}" if objective.plan else by_rule
            return f"bandit over {', '.join(config.asking)}; until it has learned, {before}"


def _exceptions(config: Config) -> Iterator[str]:
    """The cases in which something other than the configured strategy decides."""
    others = [name for name in config.plans if name not in config.asking]
    programs = [name for name in others if isinstance(config.plans[name], Code)]
    if programs:
        yield f"a request that a program can answer goes to {', '.join(programs)}"
    last = [name for name in others if name in config.last_resorts]
    if last:
        models = [config.backends[lead(name, config.plans)].aliases for name in last]
        named = ", ".join(sorted({alias for names in models for alias in names}))
        yield f"a request that no other plan can answer goes to {', '.join(last)} ({named})"
    experts = [name for name in others if name not in (*programs, *last)]
    if experts:
        yield f"a question that documents answer goes to {', '.join(experts)}"
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    yield from _shadow_lines(config, switched=ledger.book.switched)
    if ledger.book.serving.key != configured(config).key:
        yield f"a trial's strategy was adopted and decides instead: {ledger.book.serving.key}"


def _shadow_lines(config: Config, *, switched: bool) -> Iterator[str]:
    """What becomes of requests that name a model, if `auto` starts in the shadow."""
    objective = config.objective
    if objective.start == "live":
        if objective.switch or objective.shadow_explore:
            yield (
                "objective.switch and shadow_explore do nothing while objective.start is live: set "
                "objective.start: shadow, or leave them out"
            )
        return
    if switched:
        yield "auto was switched on: it answers what names a model too; waggle policy shadow undoes"
        return
    share = objective.explored_in_shadow
    yield f"auto is in the shadow: callers get what they name, and auto answers {share:.0%}"
    if objective.switch and not share:
        yield (
            "objective.switch never switches with shadow_explore: 0, since nothing is measured: "
            "set shadow_explore: 0.05"
        )
