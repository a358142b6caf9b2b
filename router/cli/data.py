"""`waggle data ...`: makes data sets from traffic, shows them, compares versions, exports rows."""

import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.cli.context import (
    CommandContext,
    JsonOption,
    in_context,
    stored_keys,
    telemetry_catalog,
)
from router.cli.data_showing import changes, show_card
from router.cli.terminal import CommandRefused, InputRefused, err, facts, out
from router.config.config import Config
from router.training.data_query import DataQuery, checked_name, query_of
from router.training.data_rows import SPLITS
from router.training.data_sets import DataSet, DataSets
from router.training.exporting import FORMATS, exported

data_app = typer.Typer(
    name="data",
    help="Data sets made from traffic, to train models with.",
    no_args_is_help=True,
)
Reference = Annotated[str, typer.Argument(help="NAME (its latest version) or NAME@v3.")]


@data_app.command()
@in_context
def make(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="The data set's name, such as triage.")],
    task: Annotated[
        str | None, typer.Option(help="Only requests of this task, as telemetry's kind names it.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Only requests of this pattern, such as p7.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Only requests of this key, by its name or id.")
    ] = None,
    least_quality: Annotated[
        float | None, typer.Option(help="Only answers judged as good as this. Default: 0.8.")
    ] = None,
    demonstrations: Annotated[
        bool | None,
        typer.Option(help="Take the answers that callers gave as the right ones. Default: yes."),
    ] = None,
    pairs: Annotated[
        bool | None, typer.Option(help="Pairs of a better and a worse answer. Default: no.")
    ] = None,
    least_margin: Annotated[
        float | None, typer.Option(help="By which the better answer is better. Default: 0.3.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this time on (ISO, UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time. Default: now.")] = None,
    most: Annotated[
        int | None, typer.Option(help="The latest so many rows. Default: 20,000.")
    ] = None,
    test_share: Annotated[float | None, typer.Option(help="Default: 0.15.")] = None,
    validation_share: Annotated[float | None, typer.Option(help="Default: 0.15.")] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="A benchmark (FILE or FILE:COLUMN; JSON lines, CSV, Parquet) or a data set, "
            "whose texts must not be in the training rows."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version of a data set. What you leave out is as in the version before.

    Example: waggle data make triage --task triage --least-quality 0.9
    """
    config, sets = here.config, _sets(here.config)
    checked_name(name)
    _refuse_without_words(config)
    latest = sets.latest(name)
    given = {
        "task": task,
        "pattern": pattern,
        "keys": None if key is None else tuple(_key_ids(config, key)),
        "least_quality": least_quality,
        "demonstrations": demonstrations,
        "pairs": pairs,
        "least_margin": least_margin,
        "since": None if since is None else _micros("--since", since),
        "most": most,
        "test_share": test_share,
        "validation_share": validation_share,
        "against": None if against is None else tuple(against),
    }
    changed: dict[str, Any] = {
        option: value for option, value in given.items() if value is not None
    }
    before = query_of(latest.card["query"]) if latest else DataQuery()
    ends = 0 if until is None else _micros("--until", until)
    query = replace(before, **changed, until=ends)
    here.record("data set made", name, after=query.as_json())
    data_set, fresh = _make(config, sets, name, query)
    if as_json:
        out.print_json(orjson.dumps(data_set.card).decode())
        return
    show_card(data_set)
    if not fresh:
        out.print(f"Nothing changed since {data_set.reference}, so no version was made.")


@data_app.command()
@in_context
def show(
    here: CommandContext,
    reference: Annotated[str | None, typer.Argument(help="NAME or NAME@v3; default: all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the card of a data set: what it was made of, and what was taken out and why."""
    sets = _sets(here.config)
    if reference is not None:
        data_set = sets.named(reference)
        if as_json:
            shown = {**data_set.card, "report": sets.report(data_set)}
            out.print_json(orjson.dumps(shown).decode())
        else:
            show_card(data_set)
        return
    every = [sets.load(name, version) for name in sets.names() for version in sets.versions(name)]
    if as_json:
        out.print_json(orjson.dumps([data_set.card for data_set in every]).decode())
        return
    table = Table("data set", *SPLITS, "quality", "made", box=None)
    for data_set in every:
        rows = (f"{data_set.card['rows'][split]:,}" for split in SPLITS)
        card = data_set.card
        table.add_row(data_set.reference, *rows, str(card["quality"]), card["made_at"])
    out.print(table if every else "There is no data set yet: `waggle data make NAME` makes one.")


@data_app.command()
@in_context
def diff(
    here: CommandContext,
    before: Reference,
    after: Annotated[
        str | None, typer.Argument(help="Another version. Default: the latest, beside the parent.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions: their queries, and the rows that came, went or moved."""
    sets = _sets(here.config)
    new = sets.named(after or before)
    if after is not None:
        old = sets.named(before)
    elif new.card["parent"] is None:
        raise InputRefused(f"{new.reference} has no version before it", "name two versions")
    else:
        old = sets.named(f"{new.name}@v{new.card['parent']}")
    shown = {"before": old.reference, "after": new.reference, **changes(old, new)}
    if as_json:
        out.print_json(orjson.dumps(shown).decode())
        return
    out.print(f"[bold]{old.reference}[/] and [bold]{new.reference}[/]")
    for name, (was, now) in shown.pop("query").items():
        out.print(escape(f"{name}: {was} before, {now} now"))
    numbers = {n: f"{v:,}" for n, v in shown.items() if isinstance(v, int)}
    out.print(facts(numbers))


@data_app.command()
@in_context
def export(
    here: CommandContext,
    reference: Reference,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "openai",
    split: Annotated[str, typer.Option(help="train, validation, test or all.")] = "train",
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="A file. Default: the screen.")
    ] = None,
) -> None:
    """Write rows as JSON lines: OpenAI's chat, ShareGPT, or pairs for DPO.

    Rows hold words of callers. What you export is out of the reach of `waggle telemetry forget`.
    """
    data_set = _sets(here.config).named(reference)
    if split not in (*SPLITS, "all"):
        raise InputRefused(f"--split {split}", f"one of {', '.join(SPLITS)} or all is meant")
    rows = [row for s in SPLITS if split in (s, "all") for row in data_set.rows[s]]
    lines = list(exported(rows, form))
    here.record("data set exported", data_set.reference, after={"rows": len(lines), "as": form})
    if to is None:
        sys.stdout.buffer.write(b"".join(lines))
        return
    try:
        with open(to, "wb", opener=partial(os.open, mode=0o600)) as file:
            file.writelines(lines)
    except OSError as error:
        raise InputRefused(f"--out {to} cannot be written: {error.strerror}") from None
    err.print(f"{len(lines):,} rows in {to}. `waggle telemetry forget` does not reach this copy.")


def _sets(config: Config) -> DataSets:
    return DataSets(config.training_folder / "data")


def _refuse_without_words(config: Config) -> None:
    kept = {"prompts": config.telemetry.prompts, "answers": config.telemetry.answers}
    lacking = [f"telemetry.{name}" for name, kept_now in kept.items() if not kept_now]
    if lacking:
        raise InputRefused(
            f"{' and '.join(lacking)} = false: a data set is made of words, and none are kept",
            "set them to true in waggle.yaml; requests from then on can be used",
        )


def _key_ids(config: Config, names: Sequence[str]) -> Iterator[str]:
    keys = stored_keys(config)
    for name in names:
        ids = [record.id for record in keys if name in (record.id, record.name)]
        if not ids:
            raise InputRefused(f"--key {name}: there is no such key", "`waggle keys list`")
        yield from ids


def _micros(option: str, text: str) -> int:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        mend = "write it as 2026-11-27 or 2026-11-27T12:00"
        raise InputRefused(f"{option} {text}: this is no time", mend) from None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return int(at.timestamp() * 1e6)


def _make(config: Config, sets: DataSets, name: str, query: DataQuery) -> tuple[DataSet, bool]:
    from router.training.logged_rows import logged_rows, views_of  # loads DuckDB
    from router.training.making import DataMaker
    from router.training.meaning import meaning_in

    telemetry_catalog(config)

    def read(query: DataQuery) -> Any:
        with views_of(config.telemetry_folder) as con:
            return logged_rows(con, query)

    with _progress() as progress:
        meaning = meaning_in(
            config.reuse.encoder,
            str(config.encoders_folder),
            lambda what: err.print(escape(what)),
        )
        maker = DataMaker(sets, read, meaning, progress)
        made = maker.make(name, query, int(time.time() * 1e6))
    return made.data_set, made.fresh


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("reading telemetry")
        yield lambda what: progress.update(task, description=what)


def forget_data(
    config: Config, request_ids: Sequence[str], keys: Sequence[str], sessions: Sequence[str]
) -> None:
    """Take a caller's rows out of every data set, and say which versions lost rows."""
    from router.training.forgetting_rows import Forgotten, forget_rows
    from router.training.logged_rows import session_hash

    caller = Forgotten(
        frozenset(request_ids), frozenset(keys), frozenset(map(session_hash, sessions))
    )
    try:
        forgotten = forget_rows(_sets(config), caller, int(time.time() * 1e6))
    except OSError as error:
        raise CommandRefused(
            f"the rows are removed, but data sets could not be changed: {error}",
            f"mend {config.training_folder}, and say this again",
        ) from None
    for version, count in forgotten.rows.items():
        out.print(f"Removed {count:,} rows from the data set {version}; its card says so.")
    for version in forgotten.damaged:
        out.print(f"Removed the data set {version}: it was damaged, and may have held such rows.")
