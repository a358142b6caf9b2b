"""What other policies would have brought: each plan for everything, the ladder, and the bandit."""

from collections.abc import Mapping, Sequence

from learner.offpolicy import OffPolicyEstimate
from router.cli.report_document import ReportSection
from router.cli.report_telemetry import ReportedTelemetry
from router.trials.book import Book, Rejected
from router.trials.drawn_rows import DrawnRow, LeftOut, drawn_rows, left_out
from router.trials.policy_comparison import estimated
from router.trials.policy_odds import named_policy
from router.trials.policy_values import LoggedArrays, ValueEstimate, value_of

_TITLE = "What other policies would have cost"
_HEAD = ("policy", "$ for these requests", "quality", "utility", "seconds", "worth answers")
_INTRODUCTION = (
    "Estimated from logged chances, doubly robust, with 95 % intervals. Two of them on the same "
    "requests: `waggle policy compare A B`."
)
_MOST_POLICIES = 15  # the book may hold many strategies; the latest are in the report


def other_policies(telemetry: ReportedTelemetry, book: Book) -> ReportSection:
    sql = (
        "select policy, measure, n, judged, dr, dr_low, dr_high, ess, refused from off_policy("
        f"since := timestamp '{telemetry.begin:%Y-%m-%d %H:%M:%S}', "
        f"until := timestamp '{telemetry.end:%Y-%m-%d %H:%M:%S}')"
    )
    rows = drawn_rows(telemetry.con, telemetry.begin, telemetry.end)
    others = left_out(telemetry.con, telemetry.begin, telemetry.end)
    if not rows:
        why = "No request's plan was drawn, so the log tells nothing about other policies."
        return ReportSection(_TITLE, (why, *_left_out(others)), sql=(sql,))
    words = [_INTRODUCTION]
    table = [_as_it_was(rows, book)]
    for name in _names(book):
        try:
            table.append(_estimated(name, rows, book))
        except Rejected as error:
            words.append(f"{error}.")
    return ReportSection(_TITLE, (*words, *_left_out(others)), _HEAD, table, sql=(sql,))


def _names(book: Book) -> Sequence[str]:
    plans = [plan for plan in book.config.asking if f"always-{plan}" in book.strategies]
    return [*plans, "ladder", "bandit", *book.registered][:_MOST_POLICIES]


def _estimated(name: str, rows: Sequence[DrawnRow], book: Book) -> Sequence[str]:
    """The row of a policy. Raises `Rejected` if the log cannot tell."""
    config = book.config
    strategy = named_policy(name, book)
    (policy,), arrays, _ = estimated((strategy,), rows, config, config.objective.preference)
    if policy.values["cost_usd"].robust is None:
        raise Rejected(f"{policy.name}: {policy.values['cost_usd'].why}")
    return _row(policy.name, policy.values, len(arrays.choices))


def _as_it_was(rows: Sequence[DrawnRow], book: Book) -> Sequence[str]:
    arrays = LoggedArrays.of(rows, [], book.config.objective.preference)
    values = {name: value_of(arrays, arrays.odds, name) for name in arrays.measures}
    return _row("as it was", values, len(rows))


def _row(name: str, values: Mapping[str, ValueEstimate], n: int) -> Sequence[str]:
    measures = (("cost_usd", float(n)), ("quality", 1.0), ("utility", 1.0), ("seconds", 1.0))
    cells = [_cell(values[measure], unit) for measure, unit in measures]
    effective = values["quality"].effective, values["cost_usd"].effective
    return name, *cells, f"{effective[0]:.0f} judged, {effective[1]:.0f} in all of {n:,}"


def _cell(value: ValueEstimate, unit: float) -> str:
    estimate: OffPolicyEstimate | None = value.robust
    if estimate is None:
        return "cannot be told"
    numbers = (unit * number for number in (estimate.value, estimate.low, estimate.high))
    middle, low, high = (f"{number:.4g}" for number in numbers)
    return f"{middle} [{low}, {high}]"


def _left_out(others: Sequence[LeftOut]) -> Sequence[str]:
    if not others:
        return ()
    parts = ", ".join(f"{row.n:,} {row.why} (${row.cost_usd:.4g})" for row in others)
    return (f"Left out, as the log tells nothing about them under another policy: {parts}.",)
