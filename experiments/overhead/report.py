"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table

_NAMES = {"waggle": "**Waggle**", "bare": "bare Serve app, one hop", "litellm": "LiteLLM, 1 worker"}


def readme_table(result: dict[str, Any]) -> str:
    single, many = result["kinds"]["json, 1"], result["kinds"]["json, 64"]
    streams = result["kinds"]["stream 50 ms, 16"]
    rows = []
    for target, name in _NAMES.items():
        if target not in single:
            continue
        first = "-"
        if target in streams:
            first = _milliseconds(streams[target]["first50"] - streams["direct"]["first50"])
        added = [single[target][key] - single["direct"][key] for key in ("p50", "p99")]
        rps = f"{many[target]['rps']:,.0f}"
        rows.append([name, *map(_milliseconds, added), rps, first])
    head = [
        "",
        "added p50, 1 client",
        "added p99",
        "requests/s, 64 clients",
        "added to first token, 16 streams",
    ]
    reload, saturated = result["reload"], result["reload_saturated"]
    kill, ingress = result["kill_backend"], result["kill_ingress"]
    summary = (
        f"A reload was live on every replica in at most {reload['worst_seconds']:.2f} s "
        f"({saturated['worst_seconds']:.2f} s with both cores saturated), with "
        f"{reload['failed_requests'] + saturated['failed_requests']} failed requests of "
        f"{reload['requests'] + saturated['requests']:,}. When a backend replica was "
        f"killed under load, {kill['failed_requests']} of {kill['requests']:,} requests failed. "
        f"A killed ingress process was back in at most {ingress['worst_seconds']:.1f} s. An idle "
        f"service without a sandbox holds {result['memory']['pss_mb']:,.0f} MB. "
        f"({result['machine']}, {result['rounds']} rounds.)"
    )
    return f"{table(head, rows)}\n\n{summary}"


def _milliseconds(microseconds: float) -> str:
    return f"{microseconds / 1e3:.2f} ms"
