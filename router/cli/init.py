"""`waggle init`: finds models, and writes a `waggle.yaml` for them.

A list of models costs nothing. The command asks before it writes, and before it sends any request
that could cost money. It keeps a file that it replaces.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.markup import escape

from router.catalog import look_up
from router.cli.check_facts import warnings_in
from router.cli.context import ConfigOption
from router.cli.init_showing import (
    show_next,
    show_outcome,
    show_proposal,
    show_tried,
    show_unpriced,
)
from router.cli.init_trying import answering, most_usd, try_all
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.config.environment import environment_of, proxy_for
from router.config.load import load
from router.discovery.asking import Answered, ask_all
from router.discovery.choosing import Candidate, candidate, chosen, named
from router.discovery.proposal import DOLLARS_A_DAY, Proposal, propose
from router.discovery.providers import VARIABLES, Place, Unusable, places
from router.discovery.writing import USUAL_PORT, text_of
from router.files import write_whole

_OTHER_PORT = 8100
_TRY_SECONDS = 60.0  # a local server may have to load its model
_NOTHING = (
    "No key of a model provider is in the environment, and no model server runs on this machine.\n"
    "`waggle serve` answers with a small model that comes with Waggle. For better answers, set a\n"
    "key (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, …) or start Ollama, and try again."
)


def init(
    config_file: ConfigOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: write the file, and spend nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing file, and keep a copy of it.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Take every model that chats and has a known price.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A provider (openai) or a model (gpt-5*); may be given again."),
    ] = None,
    dollars: Annotated[
        float, typer.Option(min=0.01, help="The most dollars to spend a day.")
    ] = DOLLARS_A_DAY,
    try_them: Annotated[
        bool, typer.Option("--try", help="Send one short request to each model; it may cost.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60, help="The longest time to wait for a server.")
    ] = 5.0,
) -> None:
    """Find models by keys and local servers, and write a waggle.yaml for them.

    The keys in the environment and the servers on this machine are asked for their models, which
    costs nothing. Example: waggle init --yes && waggle serve
    """
    path = config_file or Path("waggle.yaml")
    _refuse_to_replace(path, force=force)
    answers = _answers(seconds)
    if not answers:
        return
    candidates = [
        candidate(each.place, each.title, listed, look_up)
        for each in answers
        for listed in each.models
    ]
    models = _models(candidates, only or (), every=every)
    show_unpriced(candidates, models)
    draft = _draft(models, answers, dollars)
    show_proposal(draft.proposal, draft.config)
    if _may_try(draft.proposal, try_them=try_them, yes=yes):
        draft = _tried(draft, answers, dollars)
    if not yes and not _agrees(f"Write {path}?", usual=True):
        raise CommandRefused("nothing was written")
    kept = _write(path, draft.text)
    for warning in warnings_in(path, load(path), dt.datetime.now(dt.UTC)):
        out.print(f"[yellow]warning[/]  {escape(warning)}", soft_wrap=True)
    show_next(path, draft.proposal, kept)


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal, the text that a file of it has, and the configuration that the text is."""

    proposal: Proposal
    text: str
    config: Config


def _draft(models: Sequence[Candidate], answers: Sequence[Answered], dollars: float) -> Draft:
    """The draft of these models, checked as a file would be."""
    proposal = propose(models, dollars_per_day=dollars, port=_port(answers))
    listed = {each.title: len(each.models) for each in answers}
    day = dt.datetime.now(dt.UTC).date().isoformat()
    text = text_of(proposal, day=day, listed=listed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "waggle.yaml"
        path.write_text(text, "utf-8")
        return Draft(proposal, text, load(path))


def _answers(seconds: float) -> list[Answered]:
    """The servers that gave their models; none if there is nothing that could have."""
    servers = places(environment_of(VARIABLES))
    answers, failed = asyncio.run(_survey(servers, seconds))
    if not answers and failed:
        mend = "mend what the lines above say, and run `waggle init` again"
        raise CommandRefused("no server gave a list of models, and nothing was written", mend)
    if not answers:
        out.print(_NOTHING)
    return answers


async def _survey(
    servers: Sequence[Place | Unusable], seconds: float
) -> tuple[list[Answered], bool]:
    """Ask all servers, and show each outcome as it comes. Whether a server that is named failed."""
    outcomes = {}
    with out.status(f"Asking {len(servers)} servers for their models …"):
        async for at, outcome in ask_all(servers, seconds=seconds, proxy_for=proxy_for):
            outcomes[at] = outcome
            show_outcome(outcome)
    ordered = [outcomes[at] for at in sorted(outcomes)]
    answers = [outcome for outcome in ordered if isinstance(outcome, Answered)]
    failed = any(not isinstance(outcome, Answered) and not outcome.quiet for outcome in ordered)
    return answers, failed


def _models(
    candidates: Sequence[Candidate], only: Sequence[str], *, every: bool
) -> tuple[Candidate, ...]:
    for pattern in only:
        if not any(named(each, [pattern]) for each in candidates):
            servers = ", ".join(dict.fromkeys(each.provider.name for each in candidates))
            wrong = f"--only {pattern} names no server that answered and no model"
            raise InputRefused(wrong, f"the servers are {servers}; `waggle init` lists all")
    models = chosen(candidates, only=only, every=every)
    if not models:
        wrong = "no model there both chats and has a known price"
        raise CommandRefused(wrong, "take one by its name: `waggle init --only MODEL`")
    return models


def _port(answers: Sequence[Answered]) -> int:
    """The port of Waggle: the usual one, unless a model server of this machine has it."""
    hosts = {each.place.host for each in answers if each.place.provider.local}
    return _OTHER_PORT if f"127.0.0.1:{USUAL_PORT}" in hosts else USUAL_PORT


def _may_try(proposal: Proposal, *, try_them: bool, yes: bool) -> bool:
    """Whether to send requests to the models: only if an option or an answer says so."""
    if try_them or yes:
        return try_them
    most = most_usd(proposal)
    price = f"this costs at most ${most:.4f}" if most else "this costs nothing"
    return _agrees(f"Send one short request to each of the models? ({price})", usual=False)


def _tried(draft: Draft, answers: Sequence[Answered], dollars: float) -> Draft:
    """The draft of the models that answered a request."""
    with out.status("Trying each model …"):
        outcomes = asyncio.run(try_all(draft.proposal, draft.config, seconds=_TRY_SECONDS))
    show_tried(draft.proposal, outcomes)
    models = answering(draft.proposal, outcomes)
    if not models:
        raise CommandRefused("no model answered, and nothing was written")
    after = _draft(models, answers, dollars)
    if after.text != draft.text:
        show_proposal(after.proposal, after.config)
    return after


def _refuse_to_replace(path: Path, *, force: bool) -> None:
    if not path.parent.is_dir():
        raise InputRefused(f"there is no folder {path.parent}", "make it first")
    if path.is_dir():
        raise InputRefused(f"{path} is a folder", "give another --config")
    if (path.exists() or path.is_symlink()) and not force:
        mend = f"`waggle init --force` replaces it, and keeps it as {_backup(path)}"
        raise InputRefused(f"{path} is there already, and nothing was asked or written", mend)


def _write(path: Path, text: str) -> Path | None:
    """Write the file, and return where the file that was there before is kept."""
    try:
        kept = None
        if path.exists() or path.is_symlink():
            kept = _backup(path)
            path.rename(kept)
        write_whole(path, text.encode(), mode=0o644)
    except OSError as error:
        raise CommandRefused(f"{path} cannot be written: {error.strerror}") from None
    return kept


def _backup(path: Path) -> Path:
    """A name beside the file that is free: an earlier copy is never replaced."""
    number = 1
    while (backup := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return backup


def _agrees(question: str, *, usual: bool) -> bool:
    """Ask, and take an empty answer as the usual one."""
    try:
        answer = out.input(f"{escape(question)} {escape('[Y/n]' if usual else '[y/N]')} ")
    except EOFError:
        mend = "`waggle init --yes` asks nothing"
        raise CommandRefused("nobody answered, and nothing was written", mend) from None
    word = answer.strip().lower()
    return word in ("y", "yes") if word else usual
