"""Shows the last result as a table and two paragraphs for a README."""

from typing import Any

from experiments.readme import table

_DESCRIPTIONS = {
    "ask small": "`ask: small`",
    "ask large": "`ask: large`",
    "cascade": "`cascade: [small, large]`, until tokens are 80% likely",
    "vote": "`fan_out: [small, second, third]`, `merge: vote`",
    "refine": "`refine`: draft small, a critic, then large",
    "slow alone": "`ask: slow`, which hangs one time in ten",
    "hedge": "`hedge: [slow, small]`",
}


def readme_table(result: dict[str, Any]) -> str:
    return "\n\n".join([_patterns(result), _committees(result), _specialists(result)])


def _patterns(result: dict[str, Any]) -> str:
    patterns, theory = result["patterns"], result["theory"]
    rows = [
        [
            description,
            f"{100 * patterns[name]['right']:.1f}%",
            f"${patterns[name]['usd_per_1k']:.3f}",
            f"{patterns[name]['p95_ms']:.0f} ms",
        ]
        for name, description in _DESCRIPTIONS.items()
    ]
    batch, cost = result["batch"], result["overhead"]
    rows.append(
        [
            "`pipeline: [generator, enricher, validator]`, no model",
            f"{100 * (1 - batch['schema_violations'] / batch['records']):.1f}% valid",
            "$0",
            f"{batch['records_per_second']:.0f} records/s",
        ]
    )
    head = ["plan", "right", "per 1000 requests", "p95"]
    summary = (
        f"{patterns['vote']['asked']:,} yes-or-no questions for each plan, over scripted servers "
        f"that are right 75% (small, second, third) or 92% (large) of the time. By arithmetic, the "
        f"vote is right {100 * theory['vote_right']:.1f}% of the time, and the cascade costs "
        f"${theory['cascade_usd_per_1k']:.3f}. A step adds {cost['each_further_step_ms']:.2f} ms "
        f"to the time of its call. A fan-out of three takes {cost['fan_out_ratio']:.2f} times as "
        f"long as its slowest branch."
    )
    return f"{table(head, rows)}\n\n{summary}"


def _committees(result: dict[str, Any]) -> str:
    part = result["committees"]
    rows = [
        [
            name,
            f"{100 * row['right']:.1f}% ± {100 * row['right_ci95']:.1f}",
            f"{100 * row['theory']['right']:.1f}%",
            f"{row['calls_per_request']:.2f}",
            f"{row['theory']['calls_per_request']:.2f}",
        ]
        for name, row in part["committees"].items()
    ]
    head = ["committee", "right", "by arithmetic", "calls", "by arithmetic"]
    count = next(iter(part["committees"].values()))["asked"]
    stops = "; ".join(
        f"{name}: {100 * stop['saves_calls']:.0f}% fewer calls, "
        f"{0.0 - 100 * stop['loses_right']:+.1f} points"
        for name, stop in part["early_stops"].items()
    )
    summary = (
        f"{count:,} questions for each committee of scripted members, who are right "
        f"{100 * part['accuracy_of_a_member']:.0f}% of the time and think again where they hear "
        f"another answer. What stopping early brings: {stops}."
    )
    return f"{table(head, rows)}\n\n{summary}"


def _specialists(result: dict[str, Any]) -> str:
    part = result["specialists"]
    seen, held = part["found"].values(), part["found_held_out"].values()
    first = sum(n["first"] for n in seen), sum(n["asked"] for n in seen)
    later = sum(n["first"] for n in held), sum(n["asked"] for n in held)
    routed, routed_held = part["routed"], part["routed_held_out"]
    unrelated = part["claimed_unrelated"]
    return (
        f"The search put a right passage first for {first[0]} of {first[1]} questions, and "
        f"{routed['right']} of {routed['asked']} went to the right one of two specialists. The "
        f"author saw these questions while building the search. Of {later[1]} questions written "
        f"afterwards, {later[0]} had a right passage first, and {routed_held['right']} went to the "
        f"right specialist (the others went to neither). The specialists claimed "
        f"{unrelated['asked'] - unrelated['right']} of {unrelated['asked']} unrelated questions."
    )
