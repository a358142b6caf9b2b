"""`waggle sandbox ...`: shows how well this machine isolates a program, and runs a program by hand.

The checks of results load numpy and scipy, which `waggle serve` does not need. So the commands
import the checks only when they run.
"""

import asyncio
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.syntax import Syntax
from rich.table import Table

from router.cli.context import CommandContext, ConfigOption, JsonOption
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.config.backends import SandboxSettings
from sandbox.request import read
from sandbox.runner import CONTRACT, Program, Run

if TYPE_CHECKING:
    from sandbox.levels import LevelVerdict

sandbox_app = typer.Typer(
    name="sandbox", help="The sandbox: run untrusted programs.", no_args_is_help=True
)
SeedOption = Annotated[int, typer.Option(help="The seed of every random number in the run.")]


@sandbox_app.command()
def check(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Try every level of isolation on this machine, and show the level for programs."""
    from sandbox.levels import LEVEL_NAMES, try_level

    required = _settings(config_file).min_level
    verdicts = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("")
        for level in (3, 2, 1):
            progress.update(task, description=f"level {level}: {LEVEL_NAMES[level]}")
            verdicts.append(asyncio.run(try_level(level)))
    best = max((verdict.level for verdict in verdicts if verdict.holds), default=0)
    enough = best >= required
    if as_json:
        levels = {v.level: {"holds": v.holds, "why": v.why} for v in verdicts}
        summary = {"level": best, "min_level": required, "enough": enough, "levels": levels}
        print(json.dumps(summary))  # noqa: T201 - for programs
    else:
        _show_levels(verdicts, best, required)
    if not enough:
        raise typer.Exit(1)


def _show_levels(verdicts: "Sequence[LevelVerdict]", best: int, required: int) -> None:
    from sandbox.levels import LEVEL_NAMES

    user = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    out.print(f"{platform.system()} {platform.release()} {platform.machine()}, as {user}")
    table = Table("level", "isolation", "here", box=None)
    for verdict in verdicts:
        mark = "[green]yes[/]" if verdict.holds else "[red]no[/]"
        table.add_row(
            str(verdict.level), LEVEL_NAMES[verdict.level], f"{mark}: {escape(verdict.why)}"
        )
    out.print(table)
    if best >= required:
        out.print(f"Programs run at level [bold]{best}[/]; at least {required} is required.")
    else:
        out.print(
            f"[red]Programs are refused[/]: level {required} is required (`min_level` of the "
            f"sandbox), and {f'only level {best}' if best else 'no level'} holds here."
        )


@sandbox_app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A Python program that sets `result`.")],
    seed: SeedOption = 0,
    config_file: ConfigOption = None,
) -> None:
    """Run a program in the sandbox, and show its result or the reason why it has none.

    `waggle sandbox contract` prints what a program may do.
    """
    from sandbox.supervisor.frames import json_value

    try:
        source = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{file} cannot be read: {error}") from None
    ended = _run_once(Program(source, seed=seed), _settings(config_file))
    if ended.stdout:
        err.print(escape(ended.stdout.rstrip()))
    if ended.ok:
        out.print_json(orjson.dumps(json_value(ended.result)).decode())
    else:
        err.print(escape(ended.trace or ended.error))
    err.print(
        f"[dim]{ended.status} · {1000 * ended.seconds:.1f} ms, {1000 * ended.cpu_seconds:.1f} ms "
        f"CPU, {ended.peak_bytes >> 20} MB · {ended.tier}, level {ended.level}[/]"
    )
    if not ended.ok:
        raise typer.Exit(1)


@sandbox_app.command()
def explain(
    request: Annotated[str, typer.Argument(help="A statistical request, in quotes.")],
    seed: SeedOption = 0,
    config_file: ConfigOption = None,
) -> None:
    """Show the reading of a statistical request, its program, and the checks of the result.

    Example: waggle sandbox explain "the median of 3, 5 and 9"
    """
    from sandbox.contradictions import contradiction
    from sandbox.synthesis import write_program
    from sandbox.verify import verify

    reading = read(request)
    if reading.spec is None:
        raise CommandRefused(f"not computed: {'; '.join(reading.reasons)}")
    out.print_json(orjson.dumps(reading.spec.as_json()).decode())
    cannot = contradiction(reading.spec)
    if cannot:
        raise CommandRefused(f"this cannot hold: {cannot}")
    program = write_program(reading.spec, seed=seed)
    out.print(Syntax(program.source, "python", background_color="default"))
    ended = _run_once(program, _settings(config_file))
    if not ended.ok:
        raise CommandRefused(f"{ended.status}: {ended.error}")
    verdict = verify(reading.spec, ended.result)
    table = Table("check", "holds", "measured", "p", "could have missed", box=None)
    for claim in verdict.checks:
        chance = "" if claim.p_value is None else f"{claim.p_value:.3g}"
        mark = "[green]yes[/]" if claim.holds else "[red]no[/]"
        table.add_row(escape(claim.name), mark, escape(claim.detail), chance, escape(claim.power))
    out.print(table)
    unchecked = f"; unchecked: {', '.join(verdict.unchecked)}" if verdict.unchecked else ""
    out.print(f"level: {verdict.level}{escape(unchecked)}")
    if not verdict.holds:
        raise typer.Exit(1)


@sandbox_app.command()
def catalogue(as_json: JsonOption = False) -> None:
    """List what is computed without a model, and what a request for it may say."""
    from sandbox.reading.catalogue import RULES

    if as_json:
        rules = [{"name": rule.name, "understood": rule.understood} for rule in RULES]
        print(json.dumps(rules))  # noqa: T201 - for programs
        return
    table = Table("computed", "understood is", box=None)
    for rule in RULES:
        table.add_row(escape(rule.name), escape(rule.understood))
    out.print(table)


@sandbox_app.command()
def contract() -> None:
    """Print the rules for programs: what a program may import, read and set."""
    out.print(escape(CONTRACT), end="")


def _settings(config_file: Path | None) -> SandboxSettings:
    """The settings of the first sandbox in the configuration, or the default settings."""
    backends = CommandContext(config_file).config.backends.values()
    sandboxes = (settings for settings in backends if isinstance(settings, SandboxSettings))
    return next(sandboxes, SandboxSettings(kind="sandbox"))


def _run_once(program: Program, settings: SandboxSettings) -> Run:
    from sandbox.levels import open_pool

    async def run_in_pool() -> Run:
        pool = await open_pool(min_level=settings.min_level, limits=settings.limits)
        try:
            return await pool.run(program)
        finally:
            await pool.close()

    return asyncio.run(run_in_pool())
