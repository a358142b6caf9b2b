"""Shows the last result of this experiment as tables for the READMEs."""

from typing import Any

from experiments.overhead.verdicts import added, added_together
from experiments.readme import table

_NAMES = {
    "bare": "bare Serve app, one hop",
    "waggle": "**Waggle**, bandit and all",
    "ladder": "Waggle, rule ladder",
    "ferro": "Ferro 1.5 (Go)",
    "portkey": "Portkey 1.15 (Node.js)",
    "litellm": "LiteLLM 1.108 (Python)",
}


_SHORT = {
    "bare": "bare Serve app",
    "waggle": "**Waggle**",
    "ferro": "Ferro (Go)",
    "portkey": "Portkey (Node.js)",
    "litellm": "LiteLLM (Python)",
}


def speed_table(result: dict[str, Any]) -> str:
    """The short table of the main page: each program on a machine of its own."""
    rows = [
        [
            name,
            _ms(added(result, target)),
            _ms(added(result, target, key="p99")),
            f"{result['alone']['json, 64'][target]['rps']:,.0f}",
        ]
        for target, name in _SHORT.items()
        if target in result["alone"]["json, 1"]
    ]
    return table(["alone on two cores", "adds p50", "p99", "requests/s"], rows)


def readme_table(result: dict[str, Any]) -> str:
    return "\n\n".join(
        [
            "Each program alone on the machine:",
            _alone(result),
            "All at once, loaded in turn:",
            _together(result),
            "CPU that a request costs, before the work on speed and now, in turns in one run:",
            _cpu(result),
            _targets(result),
            _summary(result),
        ]
    )


def _alone(result: dict[str, Any]) -> str:
    rows = []
    for target, name in _NAMES.items():
        if target in result["alone"]["json, 1"]:
            first = added(result, target, "stream, 16", "first50")
            times = [added(result, target), added(result, target, key="p99"), first]
            p50, p99, stream = map(_ms, times)
            rps = f"{result['alone']['json, 64'][target]['rps']:,.0f}"
            rows.append([name, p50, p99, rps, stream])
    head = ["", "added p50, 1 client", "added p99", "requests/s, 64 clients"]
    return table([*head, "first token added, 16 streams"], rows)


def _together(result: dict[str, Any]) -> str:
    together = result["together"]
    rows = []
    for target, name in _NAMES.items():
        if target in together["json, 1"]:
            times = [
                added_together(result, target, "json, 1"),
                added_together(result, target, "json, 1", "p99"),
                added_together(result, target, "stream, 16", "first50"),
            ]
            p50, p99, stream = map(_ms, times)
            rps = f"{together['json, 64'][target]['rps']:,.0f}"
            rows.append([name, p50, p99, rps, stream, f"{_tokens(result, target):,.0f}"])
    head = ["", "added p50, 1 client", "added p99", "requests/s, 64 clients"]
    return table([*head, "first token added, 16 streams", "tokens/s, 64 streams"], rows)


def _tokens(result: dict[str, Any], target: str) -> float:
    return float(result["together"]["tokens, 64"][target]["events"])


def _cpu(result: dict[str, Any]) -> str:
    before, now = result["cpu"]["before"], result["cpu"]["now"]
    parts = [part for part in now if part not in ("rps", "p50_ms")]
    parts.sort(key=lambda part: -before.get(part, 0.0))
    rows = [
        [part, _ms(before.get(part, 0.0)), _ms(now[part])] for part in parts if now[part] >= 0.005
    ]
    rows.append(["requests/s", f"{before['rps']:,.0f}", f"{now['rps']:,.0f}"])
    return table(["process", "before", "now"], rows)


def _targets(result: dict[str, Any]) -> str:
    rows = [
        [row["what"], f"{row['measured']:g}", row["target"], "yes" if row["met"] else "**no**"]
        for row in result["verdicts"]
    ]
    return table(["", "measured", "target", "met"], rows)


def _summary(result: dict[str, Any]) -> str:
    reload, saturated, kill = (
        result[name] for name in ("reload", "reload_saturated", "kill_backend")
    )
    return (
        f"{reload['failed_requests'] + saturated['failed_requests']} of "
        f"{reload['requests'] + saturated['requests']:,} requests failed during reloads, "
        f"{kill['failed_requests']} of {kill['requests']:,} when a backend replica was killed "
        f"under load. ({result['machine']}, {result['rounds']} rounds; load average "
        f"{result['load_before']:g} before the run.)"
    )


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms"
