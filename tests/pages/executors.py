"""One executor for each language that a block may have. A page cannot show what no executor takes.

`text` is the output of the block above it, and nothing else.
"""

import ast
import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import duckdb
import yaml
from openai import OpenAI

from router.config.config import Config
from router.config.load import load
from tests.http_answer import HttpAnswer
from tests.pages.blocks import Block
from tests.pages.exchange import assert_answer_shown, request_in, sent
from tests.pages.shell import assert_shown, commands, perform, transcript
from tests.pages.stage import PageStage

# What a part of a configuration in a page may refer to.
_BACKENDS = """
  sandbox: {kind: sandbox}
  generator: {kind: generator}
  enricher: {kind: enricher}
  validator: {kind: validator}
  football: {kind: specialist, folder: "shipped:football"}
"""
_MODELS = ("small", "second", "third", "large", "coder", "cloud")

# Blocks that may look at the telemetry in ./var.
_OF_A_SERVICE = frozenset({"python", "sh", "console", "sql", "http"})


class Performance:
    """The blocks of one page, in order: each may follow from the block above it."""

    def __init__(self, stage: PageStage) -> None:
        self.stage = stage
        self._printed: str | None = None  # by the block above
        self._answer: HttpAnswer | None = None

    async def perform(self, block: Block) -> None:
        executor = EXECUTORS.get(block.language)
        assert executor is not None, (
            f"no executor takes a block of kind {block.language or 'indented'!r}; "
            f"use one of {', '.join(EXECUTORS)}"
        )
        printed, answer = self._printed, self._answer
        self._printed = self._answer = None
        if block.language == "text":
            assert printed is not None, "a block of text shows what the Python above it prints"
            assert_shown(block.text, printed)
        else:
            if block.language in _OF_A_SERVICE:
                assert self.stage.catalog.exists()
            await executor(self, block, answer)

    async def python(self, block: Block, _: HttpAnswer | None) -> None:
        source = await self.stage.with_address(block.text)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, block.place, "exec", flags=flags, dont_inherit=True)
        output = io.StringIO()
        names: dict = {"__name__": "page"}
        with contextlib.redirect_stdout(output):
            if "await " in source:
                await eval(code, names)
            else:
                await asyncio.to_thread(exec, code, names)
        for value in names.values():
            if isinstance(value, OpenAI | duckdb.DuckDBPyConnection):  # an example leaves it open
                value.close()
        self._printed = output.getvalue()

    async def yaml(self, block: Block, _: HttpAnswer | None) -> None:
        configuration(block.text, self.stage.folder)

    async def sh(self, block: Block, _: HttpAnswer | None) -> None:
        for command in commands(block.text):
            await perform(command, self.stage)

    async def console(self, block: Block, _: HttpAnswer | None) -> None:
        transcribed = list(transcript(block.text))
        assert transcribed, "a console shows commands after `$ `"
        for command in transcribed:
            await perform(command, self.stage)

    async def sql(self, block: Block, _: HttpAnswer | None) -> None:
        with duckdb.connect(str(self.stage.catalog), read_only=True) as connection:
            connection.execute(self.stage.with_stored_id(block.text))

    async def http(self, block: Block, answer: HttpAnswer | None) -> None:
        exchange = request_in(block.text)
        if exchange is not None:
            self._answer = await sent(exchange, self.stage)
        else:
            assert answer is not None, "an answer stands below its request"
            assert_answer_shown(block.text, answer)

    async def json(self, block: Block, _: HttpAnswer | None) -> None:
        for value in _json_values(block.text):
            assert isinstance(value, dict | list)

    async def text(self, block: Block, _: HttpAnswer | None) -> None:
        raise NotImplementedError


Executor = Callable[[Performance, Block, HttpAnswer | None], Awaitable[None]]
EXECUTORS: dict[str, Executor] = {
    name: getattr(Performance, name)
    for name in ("python", "yaml", "sh", "console", "sql", "http", "json", "text")
}


def _json_values(text: str) -> Sequence[object]:
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def configuration(text: str, folder: Path) -> Config:
    """The configuration of a page: a whole file, or a part beside backends that it may refer to."""
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
    return load(path, {"OPENAI_API_KEY": "x", "OTLP_TOKEN": "x"})
