"""Count the models with a known price and window of sixty, and the wrong prices of twenty.

The sixty names (`most_used.csv`) were written down before any table was looked at. Of those that
had a price, chance (seed 22) took twenty, and public pages were read about them (`looked_up.csv`).
A row without figures is a model of which the pages say that its price has parts that we cannot
read there: a price from the table would be wrong.
"""

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.readme import put, table
from router.catalog import ModelFacts, look_up
from router.catalog.lookup import source

HERE = Path(__file__).parent
AT = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)  # the tables are of 2026
RATES = ("input", "output", "cached_input", "cache_write")


def main() -> None:
    names = list(_rows("most_used.csv"))
    facts = {(row["provider"], row["model"]): _facts(row) for row in names}
    priced = [key for key, each in facts.items() if each is not None and each.price is not None]
    complete = [key for key in priced if (each := facts[key]) is not None and each.context_window]
    looked = list(_rows("looked_up.csv"))
    verdicts = {f"{row['provider']} {row['model']}": _verdict(row) for row in looked}
    result = {
        "tables": source(),
        "names": len(names),
        "with a price": len(priced),
        "with a price and a window": len(complete),
        "unknown": [" ".join(key) for key in facts if key not in complete],
        "looked up": len(verdicts),
        "right": list(verdicts.values()).count("right"),
        "wrong": [name for name, verdict in verdicts.items() if verdict == "wrong"],
        "not priced": [name for name, verdict in verdicts.items() if verdict == "unknown"],
        "pages of the provider": sum(row["whose"] == "provider" for row in looked),
    }
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("catalog", shown(result))
    print(shown(result))


def shown(result: dict[str, Any]) -> str:
    complete, wrong = result["with a price and a window"], len(result["wrong"])
    rows = [
        ("models with a price and a window, of sixty", str(complete), "55"),
        ("wrong prices, of twenty looked up", str(wrong), "0"),
    ]
    return table(("", "measured", "target"), rows)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (HERE / name).open() as file:
        yield from csv.DictReader(file)


def _facts(row: dict[str, str]) -> ModelFacts | None:
    return look_up(row["model"], row["base_url"], AT)


def _verdict(row: dict[str, str]) -> str:
    """Whether the table's price is what a public page says."""
    facts = _facts(row)
    if facts is None or facts.price is None:
        return "unknown"
    stated = {rate: float(row[rate]) for rate in RATES if row[rate]}
    same = all(getattr(facts.price, rate) == dollars for rate, dollars in stated.items())
    return "right" if stated and same else "wrong"


if __name__ == "__main__":
    main()
