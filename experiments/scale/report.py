"""Shows the last result of this experiment as tables for a README."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.readme import table

_SHARE = 0.7  # of a core that a process may use before others wait for it
_FOLLOWS_PER_SECOND = 2.0  # how often a router asks the learner for news
_BESIDE = {"before": "2, before"}
_POLICIES_PER_SECOND = 1 / 4  # once much is learned
# The same simulation of the hive before one message carried the reports on several accounts.
BEFORE = json.loads((Path(__file__).parent / "before.json").read_text())


def readme_table(result: Mapping[str, Any]) -> str:
    """The cores that each part of a service needs, by size."""
    head = [
        "routers, requests a second",
        "hive, no limits: before, now",
        "hive, dollars: before, now",
        "messages a request, dollars: before, now",
        "learner",
        "keeper",
    ]
    return table(head, [_cells(result, routers, rate) for routers, rate in _sizes(result)])


def _cells(result: Mapping[str, Any], routers: int, rate: float) -> list[str]:
    limits = ("no limits", "dollars a day")
    old, new = ([hive_row(each, routers, name) for name in limits] for each in (BEFORE, result))
    return [
        f"{routers}, {rate:,.0f}",
        *(
            f"{_cores(before['cores'])}, {_cores(now['cores'])}"
            for before, now in zip(old, new, strict=True)
        ),
        f"{_messages_a_request(old[1]):.2f}, {_messages_a_request(new[1]):.3f}",
        _cores(learner_cores(result, routers, rate)),
        _cores(keeper_cores(result, routers, rate)),
    ]


def _messages_a_request(row: Mapping[str, float]) -> float:
    return (row["leases_per_second"] + row["exchanges_per_second"]) / row["served_per_second"]


def _sizes(result: Mapping[str, Any]) -> list[tuple[int, float]]:
    sizes = [(int(row["routers"]), float(row["asked_per_second"])) for row in result["hive"]]
    return list(dict(sizes).items())


def _cores(cores: float) -> str:
    return f"**{cores:.2f}**" if cores > _SHARE else f"{cores:.2f}"


def hive_row(result: Mapping[str, Any], routers: int, limits: str) -> Mapping[str, Any]:
    rows = [row for row in result["hive"] if row["routers"] == routers]
    row: Mapping[str, Any] = next(row for row in rows if row["limits"] == limits)
    return row


def _costs(result: Mapping[str, Any], routers: int) -> Mapping[str, float]:
    """The costs with the nearest number of writers that was measured."""
    by_writers = {int(n): costs for n, costs in result["learner"]["by_writers"].items()}
    costs: Mapping[str, float] = by_writers[min(by_writers, key=lambda n: abs(n - routers))]
    return costs


def learner_cores(result: Mapping[str, Any], routers: int, rate: float) -> float:
    costs = _costs(result, routers)
    judged = float(result["learner"]["judged"])
    rows = rate * (costs["unjudged_row_us"] + judged * costs["judged_row_us"]) / 1e6
    policies = _POLICIES_PER_SECOND * (costs["policy_ms"] + routers * costs["policy_pickle_ms"])
    messages = _FOLLOWS_PER_SECOND * routers * float(result["delivery"]["exchange_ms"])
    return rows + (policies + messages + costs["turn_ms"]) / 1e3  # a turn is one second


def keeper_cores(result: Mapping[str, Any], routers: int, rate: float) -> float:
    costs = _costs(result, routers)
    return rate * (costs["seal_row_us"] + costs["merge_row_us"]) / 1e6


def advice_table(result: Mapping[str, Any]) -> str:
    """What a message and a row cost, and where one process is full."""
    largest = _sizes(result)[-1][0]
    costs, delivery = _costs(result, largest), result["delivery"]
    dollars, gossip = (
        hive_row(result, largest, "dollars a day"),
        hive_row(result, largest, "no limits"),
    )
    judged = result["learner"]["judged"]
    row_us = costs["unjudged_row_us"] + judged * costs["judged_row_us"]
    keeper_us = costs["seal_row_us"] + costs["merge_row_us"]
    rows = [
        [
            "hive: a message, Ray's part",
            f"{delivery['exchange_ms']:.2f} ms",
            f"{_SHARE * 1e3 / delivery['exchange_ms']:,.0f} messages a second",
        ],
        [
            f"hive: a message with reports on {_reports(dollars):.0f} budgets, {largest} routers",
            f"{dollars['lease_ms']:.2f} ms",
            f"{_SHARE * 1e3 / dollars['lease_ms']:,.0f} messages a second",
        ],
        [
            f"hive: an exchange of homes, {largest} routers",
            f"{gossip['exchange_ms']:.2f} ms, {gossip['sent_mb_per_second']:,.0f} MB sent a second",
            f"{_SHARE * 1e3 / gossip['exchange_ms']:,.0f} messages a second",
        ],
        [
            f"learner: a row, {judged:.0%} of them judged",
            f"{row_us:.0f} µs ({costs['unjudged_row_us']:.0f} not judged)",
            f"{_SHARE * 1e6 / row_us:,.0f} requests a second",
        ],
        [
            "keeper: a row, sealed and merged",
            f"{keeper_us:.0f} µs",
            f"{_SHARE * 1e6 / keeper_us:,.0f} requests a second",
        ],
    ]
    return table(["one process", "takes", "is full at"], rows)


def _reports(row: Mapping[str, float]) -> float:
    return row["reports_per_second"] / row["leases_per_second"]


def machine_table(result: Mapping[str, Any]) -> str:
    services = result["machine"]
    head = ["routers on this machine", *(_BESIDE.get(name, name) for name in services)]
    rows = [["requests a second", *(f"{s['requests_per_second']:,.0f}" for s in services.values())]]
    for part in ("router", "hive", "learner", "telemetry keeper"):
        cpu = [each["cpu_ms_a_request"][part] for each in services.values()]
        rows.append([f"CPU of a request: {part}", *(f"{ms:.2f} ms" for ms in cpu)])
    for part in ("router", "hive", "learner"):
        rest = [each["resting_cpu_ms_a_second"][part] for each in services.values()]
        rows.append([f"CPU at rest, a second: {part}", *(f"{ms:.0f} ms" for ms in rest)])
    return table(head, rows)
