"""The last result as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    memory, model = result["memory_mb"], result["model"]
    writing = model["writing"]
    rows = [
        ("start of `waggle serve` to ready", f"{result['start_seconds']:.1f} s"),
        ("ready to first answer, the model's load with it", f"{model['first_seconds']:.2f} s"),
        ("of these, loading the model", f"{model['load_seconds']:.2f} s"),
        (
            "tokens a second, one core, three answers",
            " to ".join(f"{writing[which]:.0f}" for which in ("least", "most")),
        ),
        ("right answers to plain questions", f"{model['right']} of {model['questions']}"),
        ("memory of the whole service, idle, model not loaded", f"{memory['idle']:,} MB"),
        ("memory of the whole service, model loaded", f"{memory['loaded']:,} MB"),
        ("memory of the model's replica, before and after its load", _pair(memory["replica"])),
        ("memory of all replicas, idle, model not loaded", f"{memory['replicas']:,} MB"),
    ]
    about = (
        f"({result['cores']} cores, {result['machine']}; load {result['load']:.1f} at the start.)"
    )
    return f"{table(('of a bare machine', 'measured'), rows)}\n\n{about}"


def _pair(pair: Mapping[str, int]) -> str:
    return f"{pair['before']} → {pair['after']} MB"
