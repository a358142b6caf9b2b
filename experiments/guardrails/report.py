"""Shows the figures of the last run as a table for a README."""

from collections.abc import Mapping
from typing import Any

from experiments.readme import table


def readme_table(result: Mapping[str, Any]) -> str:
    halves = list(result["cases"])
    rows = [
        (name, *(_of(result["cases"][half].get(name)) for half in halves))
        for name in ("email", "phone", "card", "iban", "words")
    ]
    head = ("recall, precision", *(f"{half} half" for half in halves))
    own = result["own_ms"]
    added_ms = result["added_ms"]
    guards = [(n, f"{own[n]:.2f} ms", f"{ms:.2f} ms") for n, ms in added_ms.items()]
    added = table(("guard", "its own time, p50", "it adds to a request, p50"), guards)
    line = (
        f"{result['rounds']} requests of {result['bytes']:,} bytes, in turn with as many "
        f"without a guard ({result['bare_ms']:.2f} ms), over an upstream that answers at once. The "
        f"classifier is such an upstream too. ({result['machine']}.)"
    )
    return f"{table(head, rows)}\n\n{added}\n\n{line}"


def _of(scores: Mapping[str, int] | None) -> str:
    if scores is None:
        return ""
    right, missed, wrong = scores["right"], scores["missed"], scores["wrong"]
    return f"{right} of {right + missed}, {right} of {right + wrong}"
