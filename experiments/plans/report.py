"""Shows the last result as a table and two paragraphs for a README."""

from typing import Any

from experiments.readme import table

_DESCRIPTIONS = {
    "ask small": "`ask: small`",
    "ask large": "`ask: large`",
    "cascade": "`cascade: [small, large]`, until the tokens are 80% likely",
    "vote": "`fan_out: [small, second, third]`, `merge: vote`",
    "refine": "`refine`: draft small, a critic, then large",
    "slow alone": "`ask: slow`, which hangs one time in ten",
    "hedge": "`hedge: [slow, small]`",
}


def readme_table(result: dict[str, Any]) -> str:
    return f"{_patterns(result)}\n\n{_specialists(result)}"


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
        f"{patterns['vote']['asked']:,} yes-or-no questions each, over scripted servers that are "
        f"right 75% (small, second, third) or 92% (large) of the time. By arithmetic the vote "
        f"is right {100 * theory['vote_right']:.1f}% of the time, and the cascade costs "
        f"${theory['cascade_usd_per_1k']:.3f}. A step costs {cost['each_further_step_ms']:.2f} ms "
        f"of our own beside its call; a fan-out of three takes {cost['fan_out_ratio']:.2f} times "
        f"its slowest branch."
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
        f"Of {first[1]} questions the passage that answers came first for {first[0]}, and "
        f"{routed['right']} of {routed['asked']} went to the right one of the two. These were seen "
        f"while it was built; of {later[1]} written afterwards it was {later[0]}, and "
        f"{routed_held['right']} of {routed_held['asked']} (the others went to neither). Of "
        f"{unrelated['asked']} questions about anything else "
        f"{unrelated['asked'] - unrelated['right']} were claimed."
    )
