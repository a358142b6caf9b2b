"""One executor for each language of a code block. A block in any other language is an error.

A block of the language `text` must show what the Python block above it prints.
"""

import ast
import asyncio
import contextlib
import inspect
import io
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from openai import OpenAI

from experiments.readme import ROOT
from router.cli.batch_files import read_jobs
from router.config.config import Config
from router.config.load import load
from tests.http_answer import HttpAnswer
from tests.pages.blocks import Block
from tests.pages.exchange import assert_answer_shown, request_in, sent
from tests.pages.shell import assert_shown, commands, perform, run, transcript
from tests.pages.stage import PageStage

# Backends that a part of a configuration on a page may refer to.
_BACKENDS = """
  sandbox: {kind: sandbox}
  generator: {kind: generator}
  enricher: {kind: enricher}
  validator: {kind: validator}
  football: {kind: specialist, folder: "shipped:football"}
"""
_SECRETS = (
    "ALERTS_URL",
    "ALERTS_SECRET",  # the variables that the pages refer to
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY"),
    *("GATEWAY_KEY_1", "GATEWAY_KEY_2", "TEAM_TOKEN", "OTLP_TOKEN"),
)
_MODELS = ("small", "second", "third", "large", "coder", "cloud")


@dataclass(frozen=True)
class BlockOutcome:
    """What the next block may refer to: the output or the answer of this block."""

    printed: str | None = None
    answer: HttpAnswer | None = None


NOTHING = BlockOutcome()
Executor = Callable[[Block, PageStage, BlockOutcome], Awaitable[BlockOutcome | None]]


async def perform_page(blocks: Iterable[Block], stage: PageStage) -> None:
    """Run the blocks of a page in order. Raises at the first block that is wrong."""
    above = NOTHING
    for block in blocks:
        try:
            executor = EXECUTORS.get(block.language)
            if executor is None:
                kind = block.language or "indented"
                raise AssertionError(f"nothing executes a block that is {kind}: {list(EXECUTORS)}")
            above = await executor(block, stage, above) or NOTHING
        except Exception as error:
            error.add_note(f"This was {block.place}:\n{block.text}")
            raise


async def _python(block: Block, stage: PageStage, _: BlockOutcome) -> BlockOutcome:
    stage.furnish()
    source = await stage.with_address(block.text)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, block.place, "exec", flags=flags, dont_inherit=True)
    output = io.StringIO()
    names: dict[str, Any] = {"__name__": "page"}
    with contextlib.redirect_stdout(output):
        if code.co_flags & inspect.CO_COROUTINE:
            await eval(code, names)
        else:
            await asyncio.to_thread(exec, code, names)
    for value in names.values():
        if isinstance(value, OpenAI | duckdb.DuckDBPyConnection):  # examples do not close clients
            value.close()
    return BlockOutcome(printed=output.getvalue())


async def _text(block: Block, _: PageStage, above: BlockOutcome) -> None:
    assert above.printed is not None, "a block of text shows what the Python above it prints"
    assert_shown(block.text, above.printed)


async def _yaml(block: Block, stage: PageStage, _: BlockOutcome) -> None:
    configuration(block.text, stage.folder)


async def _sh(block: Block, stage: PageStage, _: BlockOutcome) -> None:
    stage.furnish()
    for command in commands(block.text):
        await perform(command, stage)


async def _console(block: Block, stage: PageStage, _: BlockOutcome) -> None:
    stage.furnish()
    transcribed = list(transcript(block.text))
    assert transcribed, "a console shows commands after `$ `"
    for command in transcribed:
        await perform(command, stage)


async def _sql(block: Block, stage: PageStage, _: BlockOutcome) -> None:
    with duckdb.connect(str(stage.furnish()), read_only=True) as connection:
        connection.execute(stage.with_stored_id(block.text))


async def _http(block: Block, stage: PageStage, above: BlockOutcome) -> BlockOutcome:
    exchange = request_in(block.text)
    if exchange is not None:
        return BlockOutcome(answer=await sent(exchange, stage))
    assert above.answer is not None, "an answer stands below its request"
    assert_answer_shown(block.text, above.answer)
    return NOTHING


async def _json(block: Block, stage: PageStage, _: BlockOutcome) -> None:
    """Read the lines like the command that they are for, `waggle warm` or `waggle batch`."""
    path = stage.folder / "lines.jsonl"
    path.write_text(block.text)
    if '"scores"' in block.text:
        embedded = str(ROOT / "router" / "default.yaml")
        await run(["warm", str(path), "--config", embedded, "--data", str(stage.data)])
    else:
        assert read_jobs(path, "auto")


EXECUTORS: dict[str, Executor] = {
    "python": _python,
    "text": _text,
    "yaml": _yaml,
    "sh": _sh,
    "console": _console,
    "sql": _sql,
    "http": _http,
    "json": _json,
}


def configuration(text: str, folder: Path) -> Config:
    """Load the configuration of a page. A part of a file gets the backends that it may refer to."""
    path = folder / "waggle.yaml"
    sections = yaml.safe_load(text)
    whole = text
    if not {"backends", "plans"} <= set(sections):
        models = "".join(
            f'  {m}: {{kind: openai, base_url: "http://127.0.0.1:1"}}\n' for m in _MODELS
        )
        own = text.removeprefix("backends:\n") if text.startswith("backends:") else ""
        whole = f"backends:{_BACKENDS}{models}{own}" + ("" if own else text)
        if "plans" not in sections:
            whole += "plans:\n  records: {ask: generator}\n"
    path.write_text(whole)
    return load(path, dict.fromkeys(_SECRETS, "x"))
