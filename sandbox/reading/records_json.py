"""Writes a specification of records in JSON as a list of columns in plain words.

Only a specification that is wholly plain is rewritten: how many records, and for each column a name
with words, numbers, labels or shares. Any other JSON stays as it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_COUNTS = ("n", "rows", "count", "records", "size", "num_rows", "num_records", "n_rows", "samples", "sample_size",
           "registros", "filas", "cantidad", "numero", "total", "limit", "users")  # fmt: skip
_COLUMNS = (
    "columns",
    "fields",
    "schema",
    "campos",
    "columnas",
    "attributes",
    "features",
    "variables",
)
_SPECIFIED = re.compile(rf'"(?:{"|".join(_COLUMNS)})"\s*:\s*[\[{{]', re.I)
_NAMES = ("name", "column", "field", "nombre", "campo", "columna")
_EMPTY = (
    "generate",
    "generar",
    "task",
    "action",
    "tarea",
    "format",
    "dataset",
    "type_of_data",
    "table",
    "entity",
)


def specification_in_words(text: str) -> str:
    """The text with a specification in JSON as a list of columns, if each part of it is plain."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin or len(text) > 4_000 or not _SPECIFIED.search(text, begin):
        return text
    try:
        value = json.loads(text[begin : end + 1])
    except ValueError:
        return text
    lines = list(_lines(value)) if isinstance(value, dict) else []
    if not lines or "" in lines:
        return text
    around = (
        f"{text[:begin]} {text[end + 1 :]}".strip().strip("`").removeprefix("json").strip(" :\n`")
    )
    return f"{around} {lines[0]}:\n" + "\n".join(lines[1:])


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    """First how many records, then a line for each column; an empty line is not understood."""
    low = {key.lower(): item for key, item in value.items()}
    counts = [low.pop(key) for key in _COUNTS if isinstance(low.get(key), int)]
    columns = next((low.pop(key) for key in _COLUMNS if key in low), None)
    spanish = "campos" in value or "columnas" in value
    seed = low.pop("seed", None)
    for key in _EMPTY:
        if isinstance(low.get(key), str):
            low.pop(key)
    yield (
        f"{'genera' if spanish else 'generate'} {counts[0]} {'filas' if spanish else 'rows'}"
        if len(counts) == 1 and not low
        else ""
    )
    if isinstance(columns, Mapping):
        columns = [
            {"name": name, **(rest if isinstance(rest, Mapping) else {"": rest})}
            for name, rest in columns.items()
        ]
    if not isinstance(columns, list) or not columns:
        yield ""
        return
    for column in columns:
        yield _line(column) if isinstance(column, Mapping) else ""
    if seed is not None:
        yield f"seed {seed}"


_KEYS = {"distribution": "", "dist": "", "type": "", "tipo": "", "distribucion": "", "": "", "dtype": "", "family": "",
         "values": "one of", "choices": "one of", "categories": "one of", "options": "one of", "valores": "one of",
         "categorias": "one of", "enum": "one of", "std": "sd", "stddev": "sd", "std_dev": "sd", "media": "mean",
         "desviacion": "sd", "standard_deviation": "sd", "lambda": "rate"}  # fmt: skip
_TYPES = {"int": "integer", "float": "", "number": "", "numeric": "", "string": "", "str": "", "category": "",
          "categorical": "", "entero": "entero", "decimal": "", "real": "", "text": "", "date": "", "double": ""}  # fmt: skip


def _line(column: Mapping[str, Any]) -> str:
    """One column in words; "" if a value is neither plain nor a list."""
    name = next((str(column[key]) for key in _NAMES if key in column), "")
    rest = {key: value for key, value in column.items() if key not in _NAMES}
    params: Any = next(
        (rest.pop(key) for key in ("params", "parameters", "args") if key in rest), {}
    )
    if not name or not isinstance(params, Mapping):
        return ""
    rest |= params
    shares: list[Any] = next((rest.pop(key) for key in ("weights", "probabilities", "probs", "p", "pesos")
                   if isinstance(rest.get(key), list)), [])  # fmt: skip
    parts: list[str] = []
    for key, value in rest.items():
        word = _KEYS.get(key.lower(), key.replace("_", " "))
        if isinstance(value, Mapping):
            pairs = [
                f"{label} {share:.12g}"
                for label, share in value.items()
                if isinstance(share, int | float)
            ]
            if len(pairs) != len(value) or word not in ("one of", "weights", "probabilities", ""):
                return ""
            parts.append(", ".join(pairs))
        elif isinstance(value, list):
            labels = [f'"{item}"' if isinstance(item, str) else f"{item}" for item in value]
            if shares and len(shares) == len(labels):
                parts.append(
                    ", ".join(
                        f"{label} {share}" for label, share in zip(labels, shares, strict=True)
                    )
                )
                shares = []
            else:
                parts.append(
                    f"{word} {', '.join(labels)}"
                    if word == "one of"
                    else f"{word} {labels[0]} to {labels[-1]}"
                )
                if word != "one of" and len(labels) != 2:
                    return ""
        elif isinstance(value, bool):
            parts += [word] if value else []
        else:
            if word in ("decimals", "precision", "decimal places", "decimales"):
                parts.append(f"{value} decimals")
                continue
            plain = _TYPES.get(str(value).lower(), str(value)) if word == "" else str(value)
            parts.append(f"{word} {plain}".strip())
    return "" if shares else f"- {name}: {', '.join(filter(None, parts))}"
