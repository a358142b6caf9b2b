"""What `waggle init` shows: each server as it answers, the proposal, and what to do next."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from router.cli.init_trying import Tried
from router.cli.terminal import out
from router.config.config import Config
from router.discovery.asking import Answered, Outcome
from router.discovery.choosing import Candidate
from router.discovery.proposal import Proposal
from router.plans.compiled import Plans
from router.plans.costs import Size, expected
from router.plans.shown import ASSUMED, cost_line, plan_line

_MOST_NAMES = 5


def show_outcome(outcome: Outcome) -> None:
    if isinstance(outcome, Answered):
        count = len(outcome.models)
        models = f"{count} model{'' if count == 1 else 's'}"
        out.print(f"[green]✓[/] {escape(outcome.title)}: {models}", soft_wrap=True)
    elif outcome.quiet:
        if not outcome.absent:
            out.print(f"[dim]· {escape(outcome.title)} {escape(outcome.reason)}[/]", soft_wrap=True)
    else:
        out.print(f"[red]✗[/] {escape(outcome.title)} {escape(outcome.reason)}", soft_wrap=True)


def show_unpriced(candidates: Sequence[Candidate], models: Collection[Candidate]) -> None:
    """The models that are left out because nobody knows what they cost."""
    left = [each for each in candidates if each.chats and each.price is None and each not in models]
    for title in dict.fromkeys(each.title for each in left):
        names = [each.model for each in left if each.title == title]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        line = f"Left out, without a known price: {', '.join(names[:_MOST_NAMES])}{more} ({title})"
        out.print(
            f"[yellow]{escape(line)}[/]. `--only NAME` takes one all the same.", soft_wrap=True
        )


def show_proposal(proposal: Proposal, config: Config) -> None:
    """The plans among which `auto` will choose, and the most that they can spend."""
    plans = Plans(config)
    table = Table(box=None, padding=(0, 2), title=f"`auto` chooses among ({ASSUMED})")
    for head in ("plan", "what it does", "dollars"):
        table.add_column(head, overflow="fold")
    for name in config.asking:
        tree = plans[name].tree
        cost = cost_line(expected(tree, plans.call_cost(Size())))
        table.add_row(escape(name), escape(plan_line(tree)), escape(cost))
    out.print()
    out.print(table)
    if proposal.dollars_per_day is None:
        out.print("\nThese models run on your own machines: no request costs a dollar.")
        return
    most = f"${proposal.dollars_per_day:.2f}"
    out.print(
        f"\nAt most [bold]{most} a day[/]: a call beyond that is refused (keys.limits), and `auto` "
        "takes cheaper plans as it nears that (objective.budget). --dollars sets another bound.",
        soft_wrap=True,
    )


def show_tried(proposal: Proposal, outcomes: Mapping[str, Tried]) -> None:
    for each in proposal.backends:
        problem = outcomes[each.name].problem
        if problem:
            line = f"{each.plan} {problem}. It is left out."
            out.print(f"[red]✗[/] {escape(line)}", soft_wrap=True)
        else:
            out.print(f"[green]✓[/] {escape(each.plan)} answers")


def show_next(path: Path, proposal: Proposal, kept: Path | None) -> None:
    if kept is not None:
        out.print(f"The file that was there is now {kept}.", markup=False)
    option = "" if str(path) == "waggle.yaml" else f" -c {path}"
    url = f"http://127.0.0.1:{proposal.port}/v1"
    header = "-H 'content-type: application/json'"
    body = '{"model": "auto", "messages": [{"role": "user", "content": "Why do bees dance?"}]}'
    lines = (
        f"{path} is written and valid. Next:\n",
        f"  waggle serve{option}\n",
        "and then, in another terminal:\n",
        f"  curl {url}/chat/completions {header} -d '{body}'\n",
        "or in Python:\n",
        "  from openai import OpenAI",
        f'  client = OpenAI(base_url="{url}", api_key="none")',
        '  messages = [{"role": "user", "content": "Why do bees dance?"}]',
        '  answer = client.chat.completions.create(model="auto", messages=messages)',
        "  print(answer.choices[0].message.content)",
    )
    out.print()
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
