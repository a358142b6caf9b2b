"""Commands in the pages: each must exist, and runs here if it needs no service."""

import asyncio
import importlib.util
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from experiments.readme import ROOT
from router.cli.main import app
from tests.pages.exchange import Exchange, matches, sent
from tests.pages.stage import PageStage

WAGGLE = typer.main.get_command(app)
TARGETS = frozenset(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
# Commands that run quickly, without a service or a network: the tests run them.
_RUN = ("check", "deploy", "keys", "report", "sandbox", "solutions why", "sql", "telemetry")
_ELSEWHERE = {"codex", "docker", "export", "kubectl", "serve"}  # commands of other programs


@dataclass(frozen=True)
class Command:
    text: str
    output: str = ""


def commands(text: str) -> Iterator[Command]:
    """The commands of a block of kind `sh`, without comments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    while lines:
        words, lines = _first_command(lines)
        yield Command(words)


def transcript(text: str) -> Iterator[Command]:
    """The commands of a block of kind `console`, each with the output that the page shows."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        words, output = _first_command(part.splitlines())
        yield Command(words, "\n".join(output))


def _first_command(lines: list[str]) -> tuple[str, list[str]]:
    """The first command, which may go on over several lines, and the lines after the command."""
    length = 1
    while _open(" ".join(lines[:length])) and length < len(lines):
        length += 1
    command = " ".join(line.strip().removesuffix("\\") for line in lines[:length])
    return command, lines[length:]


def _open(text: str) -> bool:
    """Whether a command goes on in the next line."""
    if text.rstrip().endswith("\\"):
        return True
    try:
        shlex.split(text, comments=True)
    except ValueError:  # an open quotation mark
        return True
    return False


async def perform(command: Command, stage: PageStage) -> None:
    """Run or check a command, as far as possible here. Raises if the page is wrong."""
    words = shlex.split(command.text, comments=True)
    words = words[: words.index(">")] if ">" in words else words  # without the shell's redirection
    match words:
        case ["waggle" | ".venv/bin/waggle", *arguments]:
            await _waggle(arguments, command, stage)
        case ["make", *targets]:
            assert set(targets) <= TARGETS, f"make has no target {targets}"
        case ["curl", *arguments]:
            await _curl(arguments, command, stage)
        case [".venv/bin/python" | "python", "-m", module, *options]:
            _module(module, options)
        case ["duckdb", *arguments]:
            await _duckdb(arguments, stage)
        case [program, *_]:
            assert program in _ELSEWHERE, f"nothing here knows how to run {program}"


def parse(arguments: list[str]) -> str:
    """Parse the arguments of a `waggle` command, and return the command's name."""
    command: Any = WAGGLE
    context = typer.Context(command, info_name="waggle")
    names: list[str] = []
    while isinstance(command, TyperGroup):
        assert arguments, f"waggle {' '.join(names)} needs a command"
        name, *arguments = arguments
        names.append(name)
        command = command.get_command(context, name)
        assert command is not None, f"there is no command waggle {' '.join(names)}"
        context = typer.Context(command, info_name=name, parent=context)
    command.parse_args(context, list(arguments))
    return " ".join(names)


async def _waggle(arguments: list[str], command: Command, stage: PageStage) -> None:
    for word in arguments:
        _write_input(word, stage)
    name = parse(arguments)
    if name == "ask":
        arguments = [*arguments, "--url", (await stage.rig()).url]
    elif not name.startswith(_RUN):
        return
    assert_shown(command.output, await run([stage.with_stored_id(word) for word in arguments]))


async def run(arguments: list[str]) -> str:
    """Run a `waggle` command, which must succeed, and return its output."""
    result = await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, app, arguments)
    assert result.exit_code == 0, f"waggle {' '.join(arguments)}: {result.output}{result.stderr}"
    return result.output


def _write_input(word: str, stage: PageStage) -> None:
    """Create the input file that a command on a page names, unless it exists."""
    if re.fullmatch(r"[\w./-]+\.(jsonl|py)", word):
        path = stage.folder / word
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("result = 1\n" if word.endswith(".py") else "")


def assert_shown(shown: str, output: str) -> None:
    assert matches(shown, output), f"the page shows:\n{shown}\n\nit is:\n{output}"


async def _curl(arguments: list[str], command: Command, stage: PageStage) -> None:
    method, url, headers, body = "GET", "", {}, ""
    words = iter(arguments)
    for word in words:
        match word:
            case "-H":
                name, _, value = next(words).partition(":")
                headers[name.strip().lower()] = value.strip()
            case "-d":
                method, body = "POST", next(words)
                headers.setdefault("content-type", "application/x-www-form-urlencoded")
            case "-X":
                method = next(words)
            case "-s" | "-i" | "-N":
                pass
            case _:
                url = word
    exchange = Exchange(method, await stage.with_address(url), headers, body)
    answer = await sent(exchange, stage)
    assert answer.status < 400, f"{command.text}: {answer.body!r}"
    assert_shown(command.output, answer.body.decode())


def _module(module: str, options: list[str]) -> None:
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"there is no module {module}"
    assert spec.origin is not None
    text = Path(spec.origin).read_text()
    for option in options:
        if option.startswith("--"):
            assert f'"{option}"' in text, f"{module} has no option {option}"


async def _duckdb(arguments: list[str], stage: PageStage) -> None:
    process = await asyncio.create_subprocess_exec(
        "duckdb", *arguments, "-c", "select 1",
        cwd=stage.folder, env=stage.environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
