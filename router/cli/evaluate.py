"""`waggle evaluate`: compares plans on prompts, with a check or a judge, within a budget.

Each answer is written to the disk when it arrives. The command that is run again after Ctrl-C, a
kill or a spent budget asks only what is missing.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.cli.context import CommandContext, JsonOption, UrlOption, in_context
from router.cli.evaluate_asking import ServiceAsker
from router.cli.evaluate_table import summary_table
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.config.config import Config
from router.config.plans import Code
from router.evaluation.checks import CHECKS
from router.evaluation.ledger import ForeignLedger, Ledger, open_ledger
from router.evaluation.questions import Question, fingerprint, questions_in
from router.evaluation.running import Evaluation, Job
from router.evaluation.summary import COLUMNS, outcome_rows, summaries
from router.outcomes.files import UnreadableTable, check_ending, read_rows, write_rows
from router.plans.compiled import Plans
from router.plans.costs import OUTPUT_TOKENS, Size

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Work:
    """What an evaluation has to do: each question for each plan, and where its files are."""

    questions: tuple[Question, ...]
    plans: tuple[str, ...]
    jobs: tuple[Job, ...]
    judge: str
    target: Path

    @property
    def ledger_path(self) -> Path:
        return self.target.with_name(self.target.name + ".answers")


@in_context
def evaluate(
    here: CommandContext,
    source: Annotated[
        Path,
        typer.Argument(
            help="The prompts (.jsonl, .csv or .parquet): `prompt` or `messages`; `expected`, "
            "`check` and `task` where there are any."
        ),
    ],
    plans: Annotated[str, typer.Option(help="The plans, with commas. Default: all.")] = "",
    judge: Annotated[
        str, typer.Option(help="The backend or plan that grades answers without a check.")
    ] = "",
    check: Annotated[
        str, typer.Option(help=f"The check of rows without their own: {', '.join(CHECKS)}.")
    ] = "",
    budget: Annotated[
        float | None, typer.Option(min=0, help="The most dollars, for all runs together.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The table of outcomes.")
    ] = None,
    at_once: Annotated[
        int, typer.Option("--concurrency", min=1, max=200, help="Requests at a time.")
    ] = 8,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask plans all prompts of a file, score the answers, and write a table of outcomes.

    `waggle warm` teaches the learner from the table. Run the command again to continue.

    Example: waggle evaluate questions.jsonl --check number --budget 2
    """
    config = here.config_in_force
    compiled = Plans(config)
    work = _work(config, compiled, source, plans, judge, check, output)
    address = here.url(url)
    if budget is not None:
        _check_prices(compiled, work)

    def expected_usd(question: Question, plan: str) -> float:
        return compiled[plan].comparable_usd(Size(question.tokens, OUTPUT_TOKENS))

    with _opened(work) as ledger:
        asker = ServiceAsker(address, here.key)
        evaluation = Evaluation(ledger, asker, work.judge, expected_usd, budget)
        missing = [job for job in work.jobs if evaluation.missing(job)]
        _say_beforehand(evaluation, work, missing)
        try:
            _run(evaluation, missing, at_once, asker.close)
        finally:
            write_rows(work.target, outcome_rows(work.questions, work.plans, ledger), COLUMNS)
        _conclude(evaluation, work, as_json=as_json)


def _work(
    config: Config,
    compiled: Plans,
    source: Path,
    plans: str,
    judge: str,
    check: str,
    output: Path | None,
) -> Work:
    """Everything to do; refuse names that do not exist and rows that cannot be scored."""
    target = output or Path(f"{source.stem}-outcomes.parquet")
    if check and check not in CHECKS:
        raise InputRefused(f"--check {check}: the checks are {', '.join(CHECKS)}")
    chosen = tuple(dict.fromkeys(filter(None, map(str.strip, plans.split(","))))) or _chat(config)
    for plan in chosen:
        if plan not in config.plans:
            raise InputRefused(f"--plans {plan}: the plans are {', '.join(config.plans)}")
    judge = compiled.aliases.get(judge, judge)
    if judge and judge not in compiled:
        names = ", ".join(dict.fromkeys((*config.plans, *config.backends)))
        raise InputRefused(f"--judge {judge}: there is no such plan or backend: {names}")
    try:
        check_ending(target)
        questions = questions_in(read_rows(source), str(source), check=check, judged=bool(judge))
    except UnreadableTable as error:
        raise InputRefused(str(error)) from None
    if source.resolve() == target.resolve():
        raise InputRefused(f"{source} cannot be both the input and the output")
    computing = next((n for n, plan in config.plans.items() if isinstance(plan, Code)), "")
    if not computing and any(q.check is not None and q.check.name == "computed" for q in questions):
        raise InputRefused("the check computed needs a plan that computes, and there is none")
    jobs = tuple(
        Job(question, plan, _reference(question, computing))
        for question in questions
        for plan in chosen
    )
    return Work(questions, chosen, jobs, judge, target)


def _chat(config: Config) -> tuple[str, ...]:
    """Every plan that can answer a chat."""
    compiled = Plans(config)
    return tuple(
        name for name in config.plans if "chat" in config.backends[compiled[name].lead].capabilities
    )


def _reference(question: Question, computing: str) -> str:
    computed = question.check is not None and question.check.name == "computed"
    return computing if computed and question.expected is None else ""


@contextlib.contextmanager
def _opened(work: Work) -> Iterator[Ledger]:
    try:
        with open_ledger(work.ledger_path, fingerprint(work.questions)) as ledger:
            yield ledger
    except ForeignLedger as error:
        raise InputRefused(str(error)) from None


def _check_prices(compiled: Plans, work: Work) -> None:
    """Refuse a budget that nobody could keep."""
    names = (*work.plans, work.judge) if work.judge else work.plans
    unknown = sorted({name for plan in names for name in compiled[plan].unpriced})
    if unknown:
        raise CommandRefused(
            f"the price of {', '.join(unknown)} is unknown, so no budget can be kept",
            f"give a `price` below backends.{unknown[0]}, or leave --budget out. Nothing was sent.",
        )


def _say_beforehand(evaluation: Evaluation, work: Work, missing: Sequence[Job]) -> None:
    """Say what is to come; refuse if its expected cost passes the budget."""
    ledger, budget = evaluation.ledger, evaluation.budget_usd
    done = len(work.jobs) - len(missing)
    if done:
        err.print(f"{done:,} of {len(work.jobs):,} are done; going on.")
    if not missing:
        return
    expected = sum(evaluation.expected_job_usd(job) for job in missing)
    paid = f", beside ${ledger.spent_usd:.4f} paid before" if ledger.spent_usd else ""
    err.print(
        f"{len(missing):,} answers of {len(work.plans)} plans to come, at about ${expected:.4f}"
        f"{paid} (by list prices, with {OUTPUT_TOKENS} tokens an answer)."
    )
    if budget is not None and ledger.spent_usd + expected > budget:
        raise CommandRefused(
            f"the expected cost passes the budget of ${budget:g}",
            "raise it, name fewer --plans, or give a shorter file. Nothing was sent.",
        )


def _run(
    evaluation: Evaluation, missing: Sequence[Job], at_once: int, close: Callable[[], None]
) -> None:
    columns = (
        TextColumn("Asking"), BarColumn(), MofNCompleteColumn(),
        TextColumn("${task.fields[cost]:.4f}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(missing), cost=evaluation.ledger.spent_usd)
        evaluation.on_progress = lambda: progress.update(
            task, advance=1, cost=evaluation.ledger.spent_usd
        )

        async def run() -> None:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(ValueError, RuntimeError):  # only in the main thread
                loop.add_signal_handler(signal.SIGINT, _interrupted, evaluation, loop)
            try:
                await evaluation.run(missing, at_once)
            finally:
                close()

        asyncio.run(run())


def _interrupted(evaluation: Evaluation, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for the answers under way, which are paid for; a second Ctrl-C leaves them."""
    evaluation.stop("interrupted")
    err.print("Waiting for the answers under way. Ctrl-C again leaves them.")
    loop.remove_signal_handler(signal.SIGINT)


def _conclude(evaluation: Evaluation, work: Work, *, as_json: bool) -> None:
    ledger = evaluation.ledger
    rows = summaries(work.questions, work.plans, ledger)
    if as_json:
        out.print_json(orjson.dumps([asdict(row) for row in rows]).decode())
    else:
        out.print(summary_table(rows))
    left = [job for job in work.jobs if evaluation.missing(job)]
    err.print(
        f"{len(work.jobs) - len(left):,} of {len(work.jobs):,} done, ${ledger.spent_usd:.6f} "
        f"spent, in {escape(str(work.target))}.",
        soft_wrap=True,
    )
    for (question, plan), reason in list(evaluation.failures.items())[:_SHOWN]:
        err.print(f"[yellow]not answered:[/] {escape(question)} by {plan}: {escape(reason)}")
    if left:
        first = left[0].question.id
        why = evaluation.stopped or "some requests got no answer"
        by_plan = ", ".join(
            f"{plan} {sum(job.plan == plan for job in left):,}"
            for plan in work.plans
            if any(job.plan == plan for job in left)
        )
        err.print(
            f"Left out, because {escape(why)}: {by_plan}, from {escape(first)} on. Run the same "
            "command again for them.",
            soft_wrap=True,
        )
        raise typer.Exit(130 if evaluation.stopped == "interrupted" else 1)
