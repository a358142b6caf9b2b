"""Measures `waggle batch` on ten thousand records, and kills the command once on the way.

The records are checked with a schema that was written by hand, because the product made the records
by its own reading of the shape.
"""

import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from experiments.served import WAGGLE, service

SHAPE = {
    "name": "string", "email": "email", "city": "string", "country": "string", "phone": "phone",
    "birth_date": "date", "age": "int 18..90", "price": "number", "msrp": "number 10..900",
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "required": list(SHAPE),
    "additionalProperties": False,
    "properties": {
        **{name: {"type": "string", "minLength": 1} for name in ("name", "city", "country")},
        "email": {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+\.[^@\s]+$"},
        "phone": {"type": "string", "pattern": r"^\+[0-9][0-9 ]{6,}$"},
        "birth_date": {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "age": {"type": "integer", "minimum": 18, "maximum": 90},
        "price": {"type": "number", "minimum": 0},
        "msrp": {"type": "number", "minimum": 10, "maximum": 900},
    },
}


def measured(count: int) -> dict[str, Any]:
    with service() as (url, folder):
        source, target = folder / "in.jsonl", folder / "out.jsonl"
        _write_requests(source, count)
        files = [str(source), str(target)]
        command = [str(WAGGLE), "batch", *files, "--plan", "records", "--url", url]
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (target.exists() and target.read_bytes().count(b"\n") > count // 3):
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.wait()
        before = target.read_bytes().count(b"\n")
        begun = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.monotonic() - begun
        rate = re.search(r"\(([\d.,]+) a second\)", done.stdout)
        lines = [json.loads(line) for line in target.read_text().splitlines()]
        steps = _steps(url)
    measured_rate = (count - before) / seconds
    return _judged(lines, count) | {
        "answered_before_the_kill": before,
        "answered_after": count - before,
        "records_per_second": float(rate[1].replace(",", "")) if rate else measured_rate,
        "steps": steps,
    }


def _write_requests(path: Path, count: int) -> None:
    messages = [{"role": "user", "content": "One customer with an order."}]
    with path.open("w") as file:
        for number in range(count):
            body = {"messages": messages, "shape": SHAPE, "seed": number}
            file.write(json.dumps({"custom_id": f"r{number}", "body": body}) + "\n")


def _judged(lines: list[dict[str, Any]], count: int) -> dict[str, Any]:
    validator = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    violations = inconsistent = 0
    for line in lines:
        records = json.loads(line["response"]["body"]["choices"][0]["message"]["content"])
        for record in records if isinstance(records, list) else [records]:
            violations += not validator.is_valid(record)
            inconsistent += record["price"] > record["msrp"]
    ids = [line["custom_id"] for line in lines]
    return {
        "records": count,
        "lines": len(lines),
        "missing": count - len(set(ids)),
        "twice": len(ids) - len(set(ids)),
        "schema_violations": violations,
        "price_above_msrp": inconsistent,
        "failed": sum(line["error"] is not None for line in lines),
    }


def _steps(url: str) -> list[dict[str, Any]]:
    """Number and latency of each step, as an analyst would query them from telemetry."""
    sql = (
        "select role, backend, count(*) as n, median(latency_ms) as p50_ms from attempts "
        "where plan = 'records' group by all order by role"
    )
    time.sleep(1.0)
    request = urllib.request.Request(
        url + "/v1/sql", json.dumps({"sql": sql}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        answer = json.load(response)
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]
