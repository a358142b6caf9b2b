"""`waggle sandbox ...`: how well this machine can isolate a program, and running one by hand."""

import asyncio
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.syntax import Syntax
from rich.table import Table

from router.cli.terminal import ConfigOption, Stop, err, out, read
from router.config.backends import SandboxSettings
from router.config.config import Config
from sandbox.request import read as read_request
from sandbox.runner import CONTRACT, Program, Run, RunRefused

# What judges results loads numpy and scipy, which `waggle serve` has no use for: those are imported
# by the commands that need them.
if TYPE_CHECKING:
    from sandbox.levels import LevelVerdict

sandbox_app = typer.Typer(help="Programs that nobody vouches for.", no_args_is_help=True)


@sandbox_app.command()
def check(
    config_file: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Try every level of isolation here, and say which one programs would run at."""
    from sandbox.levels import NAMES, judged

    wanted = _settings(read(config_file)).min_level
    verdicts = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("")
        for level in (3, 2, 1):
            progress.update(task, description=f"level {level}: {NAMES[level]}")
            verdicts.append(asyncio.run(judged(level)))
    best = max((verdict.level for verdict in verdicts if verdict.holds), default=0)
    enough = best >= wanted
    if as_json:
        levels = {v.level: {"holds": v.holds, "why": v.why} for v in verdicts}
        told = {"level": best, "min_level": wanted, "enough": enough, "levels": levels}
        print(json.dumps(told))  # noqa: T201 - for programs
    else:
        _show(verdicts, best, wanted)
    if not enough:
        raise typer.Exit(1)


def _show(verdicts: "list[LevelVerdict]", best: int, wanted: int) -> None:
    from sandbox.levels import NAMES

    who = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    out.print(f"{platform.system()} {platform.release()} {platform.machine()}, as {who}")
    table = Table("level", "isolation", "here", box=None)
    for verdict in verdicts:
        mark = "[green]yes[/]" if verdict.holds else "[red]no[/]"
        table.add_row(str(verdict.level), NAMES[verdict.level], f"{mark}: {escape(verdict.why)}")
    out.print(table)
    if best >= wanted:
        out.print(f"Programs run at level [bold]{best}[/]; at least {wanted} is asked for.")
    else:
        out.print(
            f"[red]Programs are refused[/]: level {wanted} is asked for (`min_level` of the "
            f"sandbox), and {f'only level {best}' if best else 'no level'} holds here."
        )


@sandbox_app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A Python program that sets `result`.")],
    seed: Annotated[int, typer.Option(help="Of every source of chance in it.")] = 0,
    config_file: ConfigOption = None,
) -> None:
    """Run a program in the sandbox and show what became of it."""
    from sandbox.supervisor.frames import plain

    try:
        source = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"{file} cannot be read: {error}", 2) from None
    ended = _ran(Program(source, seed=seed), _settings(read(config_file)))
    if ended.stdout:
        err.print(escape(ended.stdout.rstrip()))
    if ended.ok:
        out.print_json(orjson.dumps(plain(ended.result)).decode())
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
    request: str,
    seed: Annotated[int, typer.Option(help="Of the run.")] = 0,
    config_file: ConfigOption = None,
) -> None:
    """How a statistical request is read, its program, and the verdict on a run of it."""
    from sandbox.contradictions import contradiction
    from sandbox.synthesis import written
    from sandbox.verify import verified

    reading = read_request(request)
    if reading.spec is None:
        raise Stop(f"not computed: {'; '.join(reading.reasons)}")
    out.print_json(orjson.dumps(reading.spec.told()).decode())
    cannot = contradiction(reading.spec)
    if cannot:
        raise Stop(f"this cannot hold: {cannot}")
    program = written(reading.spec, seed=seed)
    out.print(Syntax(program.source, "python", background_color="default"))
    ended = _ran(program, _settings(read(config_file)))
    if not ended.ok:
        raise Stop(f"{ended.status}: {ended.error}")
    verdict = verified(reading.spec, ended.result)
    table = Table("check", "holds", "measured", "p", box=None)
    for each in verdict.checks:
        chance = "" if each.p_value is None else f"{each.p_value:.3g}"
        mark = "[green]yes[/]" if each.holds else "[red]no[/]"
        table.add_row(escape(each.name), mark, escape(each.detail), chance)
    out.print(table)
    if not verdict.holds:
        raise typer.Exit(1)


@sandbox_app.command()
def contract() -> None:
    """What the author of a program is told."""
    out.print(escape(CONTRACT), end="")


def _settings(config: Config) -> SandboxSettings:
    found = (b for b in config.backends.values() if isinstance(b, SandboxSettings))
    return next(found, SandboxSettings(kind="sandbox"))


def _ran(program: Program, settings: SandboxSettings) -> Run:
    from sandbox.levels import open_pool

    async def once() -> Run:
        pool = await open_pool(min_level=settings.min_level, limits=settings.limits)
        try:
            return await pool.run(program)
        finally:
            await pool.close()

    try:
        return asyncio.run(once())
    except RunRefused as refused:
        raise Stop(str(refused)) from None
