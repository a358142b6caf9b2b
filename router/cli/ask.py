"""`waggle ask`: sends one prompt to the running service, and prints the answer as it arrives."""

import time
from typing import Annotated

import typer
from rich.markup import escape

from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import err, out
from router.wire.plain_text import plain


@in_context
def ask(
    here: CommandContext,
    prompt: Annotated[str, typer.Argument(help="The question or the task, in quotes.")],
    model: Annotated[str, typer.Option(help='A plan, a backend, or "auto".')] = "auto",
    url: UrlOption = None,
) -> None:
    """Ask the running service and watch the answer arrive. WAGGLE_API_KEY holds the key.

    Example: waggle ask "Why do bees dance?"
    """
    client = here.client(url)
    begun = time.monotonic()
    first_word_seconds = 0.0
    with client.chat(prompt, model) as answer:
        for piece in answer.pieces():
            if piece and not first_word_seconds:
                first_word_seconds = time.monotonic() - begun
            out.file.write(plain(piece) if out.is_terminal else piece)
            out.file.flush()
    out.print()
    seconds = time.monotonic() - begun
    headers = answer.headers
    checked = f" · verified: {escape(answer.verified)}" if answer.verified else ""
    writing = seconds - first_word_seconds
    pace = f", {answer.tokens} tokens, {answer.tokens / writing:.0f}/s" if writing > 0 else ""
    cost = f"${answer.cost_usd:.6f}" if answer.cost_usd is not None else "unknown"
    err.print(
        f"[dim]plan {headers.get('x-waggle-plan')} · backend {headers.get('x-waggle-backend')} · "
        f"cost {cost}{' (estimated)' if answer.estimated else ''}{checked} · "
        f"{1000 * seconds:.0f} ms, first word {1000 * first_word_seconds:.0f} ms{pace} · "
        f"model {escape(answer.model)} · request {headers.get('x-waggle-request-id')}[/]"
    )
