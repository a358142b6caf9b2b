"""Each measured figure beside its target, and whether the figure meets the target."""

from typing import Any


def added(result: dict[str, Any], target: str, kind: str = "json, 1", key: str = "p50") -> float:
    """Milliseconds that a target adds to what the model server takes, on a machine of its own."""
    figures = result["alone"][kind]
    return float(figures[target][key] - figures[f"direct beside {target}"][key]) / 1e3


def added_together(result: dict[str, Any], target: str, kind: str, key: str = "p50") -> float:
    figures = result["together"][kind]
    return float(figures[target][key] - figures["direct"][key]) / 1e3


def verdicts(result: dict[str, Any]) -> list[dict[str, Any]]:
    together, start = result["together"], result["start"]
    many, tokens = together["json, 64"], together["tokens, 64"]
    reload, saturated = result["reload"], result["reload_saturated"]
    rows = [
        ("added p50, 1 client, alone, ms", added(result, "waggle"), "<=", 0.4),
        ("the same, times the bare app's",
         added(result, "waggle") / added(result, "bare"), "<=", 1.6),
        ("added p99, 1 client, alone, ms", added(result, "waggle", key="p99"), "<=", 1.2),
        ("requests/s at 64, share of the bare app's",
         many["waggle"]["rps"] / many["bare"]["rps"], ">=", 0.65),
        ("CPU of a request in the router, ms", result["cpu"]["now"]["router"], "<=", 0.7),
        ("CPU of a request in the learner, ms", result["cpu"]["now"]["learner"], "<=", 0.08),
        ("CPU of a request in the backend's replica, ms",
         result["cpu"]["now"]["backend"], "<=", 0.2),
        ("requests/s with the bandit over with the ladder",
         many["waggle"]["rps"] / many["ladder"]["rps"], ">=", 0.85),
        ("first token added, 16 streams, ms",
         added_together(result, "waggle", "stream, 16", "first50"), "<=", 1.0),
        ("tokens/s at 64 streams, share of the bare app's",
         tokens["waggle"]["events"] / tokens["bare"]["events"], ">=", 0.7),
        ("a reused answer over a refused request",
         result["reused"]["exact_us"] / result["reused"]["refused_us"], "<=", 1.2),
        ("warm start, s", start["warm_seconds"], "<=", 6),
        ("fresh clone to the first answer, s", start["clone_seconds"], "<=", 15),
        ("memory of everything, idle, MB (PSS)", start["memory_mb"], "<=", 1100),
        ("a reload live on every replica, s", reload["worst_seconds"], "<=", 0.3),
        ("the same, both cores saturated, s", saturated["worst_seconds"], "<=", 0.3),
        ("requests failed during reloads",
         reload["failed_requests"] + saturated["failed_requests"], "<=", 0),
        ("requests failed by a killed backend replica",
         result["kill_backend"]["failed_requests"], "<=", 0),
        ("ingress killed: back after, s", result["kill_ingress"]["worst_seconds"], "<=", 1),
    ]  # fmt: skip
    if "litellm" in many:
        of_litellm = added_together(result, "litellm", "json, 1")
        ours = added_together(result, "waggle", "json, 1")
        rows += [
            ("added p50 at 1, LiteLLM's over ours", of_litellm / ours, ">=", 25),
            ("requests/s at 64, ours over LiteLLM's",
             many["waggle"]["rps"] / max(many["litellm"]["rps"], 1.0), ">=", 80),
        ]  # fmt: skip
    return [
        {
            "what": what,
            "measured": round(measured, 3),
            "target": f"{sign} {target}",
            "met": measured <= target if sign == "<=" else measured >= target,
        }
        for what, measured, sign, target in rows
    ]
