"""`waggle knowledge evaluate STORE QUESTIONS`: how well questions find their passages."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.knowledge_rights_source import OPERATOR, rights_of
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.knowledge import MULTILINGUAL
from router.documents.languages import SPANISH
from router.encoding.encoder import CannotEncode
from router.encoding.encodes import Encodes
from router.knowledge.encoders import encoder_named
from router.knowledge.finding.evaluating import (
    Score,
    UnclearQuestions,
    encoded_again,
    questions_of,
    scores,
)
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.memory_source import PassagesInMemory
from router.knowledge.finding.reranking import CannotRerank, reranker_in
from router.knowledge.finding.store_source import language_in
from router.knowledge.opening import NoSuchStore, StoreShelf

_PACKAGED = "packaged"
_ENOUGH, _PERHAPS = 0.65, 0.25
_COLUMNS = ("nDCG@5", "R@5", "in 3", "sure", "+unsure", "misled", "strayed", "tokens")
_LEGEND = (
    "in 3: the answer is in the three passages that are given; sure: they are given as the answer; "
    "+unsure: or as unsure. misled, strayed: something else is given as the answer, as unsure. "
    "tokens: of what is given."
)
_RERANK_SECONDS = 300.0  # for one question, the loading of the model included

evaluate_app = typer.Typer()


@evaluate_app.command("evaluate")
@in_context
def evaluate_store(
    here: CommandContext,
    name: Annotated[str, typer.Argument(metavar="STORE", help="The store.")],
    questions: Annotated[Path, typer.Argument(help="Questions as lines of JSON.")],
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="packaged, multilingual or a model's folder; repeatable. Default: the store's own."
        ),
    ] = None,
    rerank: Annotated[
        Path | None, typer.Option(help="Folder of a cross-encoder: how well it ranks again.")
    ] = None,
    enough: Annotated[float, typer.Option(min=0, max=1, help="Least confidence.")] = _ENOUGH,
    perhaps: Annotated[
        float, typer.Option(min=0, max=1, help="Least confidence of an unsure answer.")
    ] = _PERHAPS,
    as_json: JsonOption = False,
) -> None:
    """Ask a store its own questions, by each way of searching and by each encoder.

    The store does not change. A question is a line such as
    {"question": "How long is a loan?", "document": "library.md", "contains": "three weeks"}.

    Example: waggle knowledge evaluate handbook questions.jsonl --encoder packaged
    --encoder multilingual
    """
    try:
        asked_for = questions_of(questions.read_bytes())
    except OSError as error:
        raise InputRefused(f"{questions} cannot be read", str(error.strerror)) from None
    except UnclearQuestions as error:
        raise InputRefused(f"{questions} holds no questions", str(error)) from None
    results: dict[str, list[Score]] = {}
    reranker = None
    if rerank is not None:
        reranker = reranker_in(str(rerank.resolve()), seconds=_RERANK_SECONDS)
    with rights_of(here) as rights:
        shelf = StoreShelf(here.config_in_force.knowledge_folder, rights)
        try:
            store = shelf.opened(name, OPERATOR, "read").store
        except NoSuchStore as error:
            raise InputRefused(str(error), "`waggle knowledge list` shows the stores") from None
        try:
            settings = here.config_in_force.knowledge.get(name)
            by_language = MULTILINGUAL if language_in(store) == SPANISH else _PACKAGED
            for each in encoder or [(settings and settings.encoder) or by_language]:
                own = _encoder(each, str(here.config_in_force.encoders_folder))
                finder = Finder(PassagesInMemory(encoded_again(store, own)), own)
                rows = scores(finder, asked_for, enough=enough, perhaps=perhaps, reranker=reranker)
                results[each] = list(rows)
        except CannotRerank as error:
            raise CommandRefused("the passages cannot be ranked again", str(error)) from None
        finally:
            store.close()
    if as_json:
        fields = [{"encoder": e} | dataclasses.asdict(s) for e, own in results.items() for s in own]
        out.print_json(json.dumps(fields))
        return
    for each, own_scores in results.items():
        out.print(_table(each, own_scores))
    out.print(_LEGEND)


def _encoder(name: str, home: str) -> Encodes:
    try:
        return encoder_named(None if name == _PACKAGED else name, home)
    except CannotEncode as error:
        raise CommandRefused(f"the encoder {name} cannot be used", str(error)) from None


def _table(encoder: str, rows: Sequence[Score]) -> Table:
    table = Table(title=f"encoder: {encoder}", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        ranked = row.ndcg, row.recall, row.within
        shares = (*ranked, row.answered, row.given, row.misled, row.strayed)
        table.add_row(row.way, *(f"{share:.2f}" for share in shares), f"{row.tokens:.0f}")
    return table
