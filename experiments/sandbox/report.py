"""Shows the last result of this experiment as a table for a README."""

from typing import Any

from experiments.readme import table


def readme_table(result: dict[str, Any]) -> str:
    first = result["first_result"]
    own = list(result["own"].values())
    late, busy = result["hostile_functions"], result["busy_machine"]
    contained = min(o["contained"] for o in own)
    rows = [
        ["a trivial program", f"{result['trivial']['p50_ms']:.2f} ms"],
        ["three columns of 1000 numpy draws", f"{result['numpy']['p50_ms']:.2f} ms"],
        [
            "three columns of 1000 numpy draws, many programs at once",
            f"{result['numpy_per_second']:.0f} a second",
        ],
        [
            "first result, with the start of the pool",
            f"{first['stdlib']['from_nothing_ms']:.0f} ms (with numpy "
            f"{first['numpy']['from_nothing_ms']:.0f}, with scipy "
            f"{first['scipy']['from_nothing_ms']:.0f})",
        ],
        *_in_a_service(result),
        ["a call of a routing function, p99", f"{result['function']['p99_us']:.0f} µs"],
        [
            f"the longest wait for a hostile routing function with a deadline of 5 ms, of "
            f"{late['calls']:,} calls",
            f"{late['longest_ms']:.1f} ms, {late['beyond']} above 5.5 ms (a bare sleep of 5 ms "
            f"beside them: {late['bare']['longest_ms']:.1f} ms, {late['bare']['beyond']})",
        ],
        [
            f"calls of a good routing function on a machine with four times too much work, of "
            f"{sum(busy.values()):,}",
            f"{busy['held_up']:,} held up, {busy['blamed']} counted against it",
        ],
        ["hostile programs contained", f"{contained} of {own[0]['tried']}, at every level"],
        [
            "harmless programs in the style of language models that run",
            f"{result['benign']['ran']} of {result['benign']['tried']}",
        ],
    ]
    head = ["in the sandbox", f"level {result['level']}, {result['machine']}"]
    return table(head, rows)


def _in_a_service(result: dict[str, Any]) -> list[list[str]]:
    """The rows of what a result before the nursery did not measure."""
    if "in_a_service" not in result:
        return []
    service, cpu = result["in_a_service"], result["numpy_cpu"]
    return [
        ["CPU of such a program, with its process", f"{sum(cpu.values()):.1f} ms"],
        [
            "first result with scipy in a service: scipy loaded in idle time, or not yet",
            f"{service['scipy_later_ms']:.0f} ms, or {service['scipy_at_once_ms']:.0f} ms",
        ],
        [
            "memory of its processes: numpy ready, and scipy too",
            f"{service['numpy_memory_mb']:.0f} MB, {service['scipy_memory_mb']:.0f} MB",
        ],
    ]
