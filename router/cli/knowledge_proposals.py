"""`waggle knowledge propose | accept | refuse`: what housekeeping proposes, and deciding it.

On the machine of the service, a command acts as an admin, and `propose` looks anew. With `--url` it
goes through the API with the key in WAGGLE_API_KEY, which sees and decides what is its own.
"""

import datetime as dt
import json
import os
import pwd
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from router.cli.context import CommandContext, JsonOption, UrlOption, in_context
from router.cli.knowledge_rights_source import OPERATOR
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.config import Config
from router.knowledge.house.archive import CannotMove
from router.knowledge.house.deciding import accept, look, refuse
from router.knowledge.house.making import forget_words
from router.knowledge.house.proposals import NoSuchProposal, ProposalBook
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.reader import Readers
from router.knowledge.rights.rights import NotOwner, Rights

proposals_app = typer.Typer()
NumberArgument = Annotated[int, typer.Argument(min=1, help="The number of the proposal.")]


@proposals_app.command("propose")
@in_context
def propose(
    here: CommandContext,
    decided: Annotated[
        bool, typer.Option("--all", help="With what was decided or withdrawn already.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for stores to make, to merge and to archive; list the proposals with their evidence.

    Example: waggle knowledge propose
    """
    if url is not None:
        answer = here.client(url).send(
            "GET", f"/v1/proposals{'?all=true' if decided else ''}", None
        )
        shown = _content(answer.status, answer.body)["data"]
    else:
        with _shelf(here) as shelf:
            look(shelf, here.config_in_force)
            book = ProposalBook(shelf.rights)
            shown = [each.shown(OPERATOR) for each in book.listed(OPERATOR, waiting=not decided)]
    if as_json:
        out.print_json(json.dumps(shown))
        return
    if not shown:
        out.print("Nothing is proposed.")
    for each in shown:
        for line in _lines(each):
            out.print(line, soft_wrap=True, highlight=False)


@proposals_app.command("accept")
@in_context
def accept_proposal(
    here: CommandContext,
    number: NumberArgument,
    name: Annotated[str | None, typer.Option("--name", help="Name of the store to make.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="A folder that feeds the store to make.")
    ] = None,
    url: UrlOption = None,
) -> None:
    """Carry out a proposal: make the store, merge the two, or archive it.

    Example: waggle knowledge accept 3 --name answers
    """
    if folder is not None and not folder.is_dir():
        raise InputRefused(f"there is no folder {folder}", "make it, or write another")
    if url is not None:
        if folder is not None:
            raise InputRefused("--folder is a folder of the service's machine", "leave --url out")
        out.print(_sent(here, url, {"do": "accept", "name": number, "store": name}), markup=False)
        return
    place = None if folder is None else str(folder.resolve())
    with _deciding(here, "accept", number) as shelf:
        config = here.config_in_force
        done = accept(shelf, config, OPERATOR, number, by=_user(), name=name, folder=place)
    out.print(done, markup=False, soft_wrap=True)


@proposals_app.command("refuse")
@in_context
def refuse_proposal(here: CommandContext, number: NumberArgument, url: UrlOption = None) -> None:
    """Refuse a proposal: it is not made again for the same evidence.

    Example: waggle knowledge refuse 3
    """
    if url is not None:
        out.print(_sent(here, url, {"do": "refuse", "name": number}), markup=False)
        return
    with _deciding(here, "refuse", number) as shelf:
        refuse(shelf, OPERATOR, number, by=_user())
    out.print(f"Proposal {number} is refused.")


def forget_documents(config: Config, request_ids: Collection[str]) -> int:
    """Erase the documents that proposals made of these requests' words, and return their number."""
    try:
        return forget_words(config.knowledge_folder, request_ids) if request_ids else 0
    except (sqlite3.Error, OSError) as error:
        raise CommandRefused("documents of made stores are still kept", str(error)) from None


@contextmanager
def _shelf(here: CommandContext) -> Iterator[StoreShelf]:
    """All stores of this machine, with what the configuration in force says of them."""
    config = here.config_in_force
    shelf = StoreShelf(config.knowledge_folder, Rights(config.knowledge_folder))
    try:
        if here.running is None and config.knowledge:
            declare(shelf.rights, config.knowledge, Readers(config.keys_file).team_of)
        yield shelf
    except (sqlite3.Error, OSError) as error:
        raise CommandRefused("the stores or their rights cannot be used", str(error)) from None
    finally:
        shelf.close()


@contextmanager
def _deciding(here: CommandContext, do: str, number: int) -> Iterator[StoreShelf]:
    mend = "`waggle knowledge propose` lists those that wait"
    try:
        with _shelf(here) as shelf:
            ProposalBook(shelf.rights).waiting(OPERATOR, number)
            here.record(f"knowledge proposal {do}", str(number))
            yield shelf
    except NoSuchProposal:
        raise InputRefused(f"no proposal {number} waits", mend) from None
    except NotOwner as error:
        raise InputRefused(f"there is no store {error}", mend) from None
    except CannotMove as error:
        raise CommandRefused(str(error), "`--folder DIR` or `--name NAME` may help") from None


def _sent(here: CommandContext, url: str, body: Mapping[str, Any]) -> str:
    written = {name: value for name, value in body.items() if value is not None}
    answer = here.client(url).send("POST", "/v1/proposals", written)
    return str(_content(answer.status, answer.body)["done"])


def _content(status: int, body: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise CommandRefused(str(content.get("error", {}).get("message", status)))
    return content


def _lines(shown: Mapping[str, Any]) -> Iterator[str]:
    at = f"{dt.datetime.fromtimestamp(shown['at'], dt.UTC):%Y-%m-%d %H:%M}"
    number, state = shown["number"], shown["state"]
    yield f"[bold]{number}[/]  {shown['kind']}  {state}  {at}  {escape(shown['purpose'])}"
    whose = f"{shown['owner']}{', announced to ' + shown['locale'] if shown['locale'] else ''}"
    yield f"   owner: {escape(whose)}"
    if "saving" in shown:
        saving = shown["saving"]
        ms = "" if saving["ms"] is None else f", {saving['ms']:,} ms"
        yield (
            f"   would have saved in {saving['days']:g} days: {saving['tokens']:,} tokens, "
            f"${saving['usd']:.4f}{ms}, on {saving['requests']:,} requests"
        )
        schema = ", ".join(f"{name}: {what}" for name, what in shown["schema"].items())
        yield f"   documents: {shown['documents']} ({escape(schema)})"
        query = json.dumps(shown["rows"], ensure_ascii=False)
        yield f"   the rows: waggle sql {escape(query)}"
    if state == "waiting":
        needs = " --folder DIR (no words are kept)" if shown.get("words") is False else ""
        yield f"   waggle knowledge accept {number}{needs}   |   waggle knowledge refuse {number}"


def _user() -> str:
    return f"user {pwd.getpwuid(os.getuid()).pw_name}"
