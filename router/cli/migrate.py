"""`waggle migrate`: brings records into the form of a JSON Schema, by a mapping that is kept.

Nothing is dropped in silence: each line is migrated or failed with its reasons, and fields that go
nowhere are listed. What is seen to be open is asked.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import InputRefused, err, out
from router.encoding.encoder import CannotEncode
from router.files import whole_folder
from router.records.checking import Wanted, issues_in
from router.records.migrating.mapping import (
    BadMapping,
    FieldMapping,
    FieldRule,
    as_json,
    from_json,
)
from router.records.migrating.matching import mapping_for
from router.records.migrating.meaning import Nearness
from router.records.migrating.reading import TABLES, BadTable, Line, records_in
from router.records.migrating.running import Outputs, Tally, run_lines
from router.records.validating import BadSchema

_SAMPLE = 10_000  # records from which a mapping is made
_FILES = ("migrated.jsonl", "warnings.jsonl", "failed.jsonl", "mapping.json")
_SHOWN = 5


@in_context
def migrate(
    here: CommandContext,
    source: Annotated[
        Path,
        typer.Argument(help="The records: an object a line (.jsonl), or a table (.csv, .tsv)."),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="The JSON Schema of the new records.")
    ] = None,
    by: Annotated[
        Path | None, typer.Option("--by", help="The mapping.json of an earlier run, as edited.")
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", help="An open question's choice: FIELD=CHOICE. May be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder of the results. Default: NAME-migrated."),
    ] = None,
    as_json_: JsonOption = False,
) -> None:
    """Bring records into the form of a JSON Schema; keep the mapping to run it again.

    Example: waggle migrate customers.jsonl --to schema.json
    """
    if (to is None) == (by is None):
        raise InputRefused("give either --to SCHEMA or --by MAPPING")
    target = output or Path(f"{source.stem}-migrated")
    _check_target(target, source)
    mapping = _read_mapping(by) if by else _new_mapping(here, source, _read_json(to or source))
    try:
        mapping = mapping.answered(_answers(answer or []))
    except BadMapping as error:
        raise InputRefused(f"--answer {error}") from None
    with whole_folder(target) as folder:
        program = orjson.dumps(as_json(mapping), option=orjson.OPT_INDENT_2)
        (folder / "mapping.json").write_bytes(program + b"\n")
        tally = None if mapping.questions else _run(mapping, source, folder)
    if tally is None:
        raise InputRefused(_questions_text(mapping.questions, target / "mapping.json"))
    if as_json_:
        out.print_json(data=_figures(mapping, tally, target))
    else:
        _show(mapping, tally, target)
    if tally.failed:
        raise typer.Exit(1)


def _check_target(target: Path, source: Path) -> None:
    """The folder is replaced whole, so it must hold nothing but an earlier result."""
    if target.exists():
        strange = not target.is_dir() or [p for p in target.iterdir() if p.name not in _FILES]
        if strange:
            raise InputRefused(
                f"--output {target} holds other files than those of a migration",
                "name a new folder",
            )
        if source.resolve().parent == target.resolve():
            raise InputRefused(f"--output {target} holds {source.name}", "name another folder")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputRefused(f"{path} cannot be read", str(error.strerror)) from None
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"{path} is no JSON", str(error)) from None
    if not isinstance(document, dict):
        raise InputRefused(f"{path} must hold a JSON object")
    return document


def _read_mapping(path: Path) -> FieldMapping:
    try:
        return from_json(_read_json(path))
    except (BadMapping, BadSchema) as error:
        raise InputRefused(f"{path}: {error}") from None


def _new_mapping(here: CommandContext, source: Path, schema: dict[str, Any]) -> FieldMapping:
    """A mapping from the first records of the file to the schema."""
    try:
        issues_in([None], Wanted(schema), as_list=False)
    except BadSchema as error:
        raise InputRefused(f"--to: {error}") from None
    if not isinstance(schema.get("properties", schema.get("$ref")), dict | str):
        raise InputRefused(
            "--to: the schema names no `properties`", "give the JSON Schema of one record"
        )
    with _lines(source) as lines:
        rows = islice(records_in(lines, source.name), _SAMPLE)
        read = list(rows)
    records = [record for _, record, why in read if not why]
    if not records:
        raise InputRefused(f"{source} holds no record", _no_record(source, read))
    with err.status("Comparing fields …"):
        return mapping_for(records, schema, _nearness(here))


def _nearness(here: CommandContext) -> Nearness:
    """The cosine of two texts by the sentence encoder; 0 where no encoder can be had."""

    @lru_cache(maxsize=1)
    def encoder() -> Any:
        from router.encoding.home import encoder_of

        try:
            return encoder_of(None, str(here.config_in_force.encoders_folder))
        except (CannotEncode, LookupError):
            return None

    @lru_cache(maxsize=4096)
    def vector(text: str) -> Any:
        return encoder().encode([text])[0]

    def near(left: str, right: str) -> float:
        if encoder() is None or not left or not right:
            return 0.0
        return float(vector(left) @ vector(right))

    return near


@contextmanager
def _lines(source: Path) -> Iterator[Any]:
    try:
        with source.open("rb") as file:
            yield file
    except OSError as error:
        raise InputRefused(f"{source} cannot be read", str(error.strerror)) from None
    except BadTable as error:
        raise InputRefused(f"{source} is no table", str(error)) from None


def _no_record(source: Path, read: Sequence[Line]) -> str:
    """How to mend a file without records, by how it begins."""
    if read and source.suffix.lower() in TABLES:
        return f"line {read[0][0]}: {read[0][2]}"
    if source.suffix.lower() in TABLES:
        return "the first line names the fields, and each other line is a record"
    with source.open("rb") as file:
        start = file.read(64).lstrip(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        return "it is a JSON array: write each of its objects on a line of its own (jq -c '.[]')"
    return "write a JSON object on each line, or name a table .csv"


def _answers(written: list[str]) -> dict[str, str]:
    answers = {}
    for text in written:
        name, equals, label = text.partition("=")
        if not equals:
            raise InputRefused(f"--answer {text}: write it as FIELD=CHOICE")
        answers[name.strip()] = label.strip()
    return answers


def _run(mapping: FieldMapping, source: Path, folder: Path) -> Tally:
    with ExitStack() as stack:
        lines = stack.enter_context(_lines(source))
        files = [stack.enter_context((folder / name).open("wb")) for name in _FILES[:3]]
        on_line = stack.enter_context(_progress(source, lines))
        return run_lines(mapping, records_in(lines, source.name), Outputs(*files), on_line)


@contextmanager
def _progress(source: Path, lines: Any) -> Iterator[Callable[[int], None]]:
    columns = (
        TextColumn("Migrating"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} lines"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=source.stat().st_size, count=0)

        def on_line(number: int) -> None:
            if number % 100 == 0:
                progress.update(task, completed=lines.tell(), count=number)

        yield on_line


def _questions_text(questions: list[FieldRule], mapping: Path) -> str:
    lines = [f"{len(questions)} open question{'s' if len(questions) > 1 else ''}:"]
    for rule in questions:
        lines.append(f"  {rule.name}: {rule.question}")
        lines += [f'    --answer "{rule.name}={label}"' for label in rule.choices]
        if not rule.choices:
            lines.append(f"    edit {mapping}: give it `from` or `value`, remove `question`")
    lines.append(
        f"Nothing was migrated. Choose with --answer, or edit {mapping} and run it with --by."
    )
    return "\n".join(lines)


def _figures(mapping: FieldMapping, tally: Tally, target: Path) -> dict[str, Any]:
    return {
        "migrated": tally.migrated,
        "with_warnings": tally.warned,
        "failed": tally.failed,
        "reasons": tally.reasons,
        "unfilled": [rule.name for rule in mapping.unfilled],
        "unmapped": [".".join(path) for path in (*mapping.unmapped, *sorted(tally.strange))],
        "folder": str(target),
    }


def _show(mapping: FieldMapping, tally: Tally, target: Path) -> None:
    table = Table("field", "from", "why", box=None, header_style="bold", pad_edge=False)
    for rule in mapping.rules:
        given = " + ".join(".".join(path) for path in rule.sources)
        shown = given or f"always {orjson.dumps(rule.value).decode()}"
        shown = "nothing" if rule.unfilled else "each record" if rule.gathers else shown
        table.add_row(*map(escape, (rule.name, shown, rule.because)))
    out.print(table)
    for rule in mapping.rules:
        if rule.warning:
            out.print(f"[yellow]{escape(rule.name)}:[/] {escape(rule.warning)}", soft_wrap=True)
    lost = [".".join(path) for path in (*mapping.unmapped, *sorted(tally.strange))]
    if lost:
        out.print(f"[yellow]these fields go nowhere:[/] {escape(', '.join(lost))}", soft_wrap=True)
    failed = sorted(tally.reasons.items(), key=lambda item: -item[1])[:_SHOWN]
    reasons = ", ".join(f"{place} {count}" for place, count in failed)
    note = f" ({reasons})" if reasons else ""
    counts = f"{tally.migrated:,} migrated, {tally.warned:,} of them with warnings"
    out.print(f"{counts}; {tally.failed:,} failed{escape(note)}. See {escape(str(target))}/.")
