"""`waggle batch`: sends many requests from a file, and writes the answers to another file.

Each line of the input is a request. The command writes its answer as a line of the output at once.
If the command runs again, also after a kill, it sends only the requests without an answer.
"""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from router.cli.batch_files import locked_output, read_jobs
from router.cli.batch_sending import BatchTally, PooledService, send_all
from router.cli.context import CommandContext, UrlOption, in_context
from router.cli.terminal import InputRefused, err, out


@in_context
def batch(
    here: CommandContext,
    source: Annotated[Path, typer.Argument(help="The requests: one JSON object on each line.")],
    target: Annotated[Path, typer.Argument(help="The file for the answers, one on each line.")],
    plan: Annotated[
        str, typer.Option("--plan", "--model", help="The plan for lines that name no model.")
    ] = "auto",
    concurrency: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of requests in flight at a time.")
    ] = 16,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="Stop sending requests after this many dollars."),
    ] = None,
    url: UrlOption = None,
) -> None:
    """Send every line of a file through a plan. Run the command again to continue after a stop.

    A line is {"prompt": "..."}, a chat request ({"messages": [...]}), or OpenAI's batch format
    ({"custom_id": ..., "body": {...}}). Each answer carries the custom_id, or `line-N`.

    Example: waggle batch questions.jsonl answers.jsonl --max-cost 2
    """
    if source.resolve() == target.resolve():
        raise InputRefused(f"{source} cannot be both the input and the output")
    jobs = read_jobs(source, plan)
    service = PooledService(here.url(url), here.key)
    tally, interrupted = BatchTally(), False
    with locked_output(target) as output:
        _refuse_other_answers(output.answered - {job.id for job in jobs}, source, target)
        missing = [job for job in jobs if job.id not in output.answered]
        if output.answered:
            count = f"{len(output.answered):,} of {len(jobs):,}"
            out.print(f"{count} were answered before; going on.")
        begun = time.monotonic()
        try:
            asyncio.run(
                send_all(service, missing, output, tally, concurrency, max_cost_usd=max_cost)
            )
        except KeyboardInterrupt:
            interrupted = True
    _conclude(tally, len(missing), time.monotonic() - begun, target, interrupted=interrupted)


def _refuse_other_answers(ids: set[str], source: Path, target: Path) -> None:
    if ids:
        some = ", ".join(sorted(ids)[:3])
        wrong = f"{target} holds answers to requests that {source} has not: {some}"
        raise InputRefused(f"{wrong}. Give another output file.")


def _conclude(
    tally: BatchTally, count: int, seconds: float, target: Path, *, interrupted: bool
) -> None:
    rate = tally.done / seconds if seconds else 0.0
    progress = f"{tally.done:,} of {count:,} answered in {seconds:.1f} s ({rate:,.1f} a second)"
    out.print(f"{progress}, ${tally.cost_usd:.6f}, in {escape(str(target))}.", soft_wrap=True)
    if tally.unpriced:
        out.print(f"The cost of {tally.unpriced:,} of them is unknown, and not in these dollars.")
    if tally.refused:
        out.print(f"{tally.refused:,} of them were refused: see their `error`.")
    if tally.partial:
        out.print(f"{tally.partial:,} of them are partial: see their `partial`.")
    if tally.unproven:
        out.print(f"{tally.unproven:,} of them are computed but not proven: see their `verified`.")
    for job_id, why in list(tally.unanswered.items())[:5]:
        err.print(f"[yellow]not answered:[/] {escape(job_id)}: {escape(why)}", soft_wrap=True)
    left = count - tally.done
    if left:
        why = "interrupted" if interrupted else tally.stopped or "some requests got no answer"
        err.print(f"{left:,} are left ({why}): run the same command again for them.")
        raise typer.Exit(130 if interrupted else 1)
