"""Adds columns of text to computed records: each text agrees with the values of its row.

A model sees the rows for which it writes. What the generator makes is replaced where a shipped
table knows better: first names by decade of birth and sex, jobs by age, and emails by name. No
computed value changes.
"""

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from router.compute.backend_calls import BackendCalls
from router.request.statistical import words_in, words_job
from sandbox.spec import Spec
from sandbox.tables.people import FIRST_DECADE, LAST_DECADE, first_names, jobs, surnames
from sandbox.tables.table import Table

Row = Mapping[str, Any]

_BATCH = 5_000  # records of text from one call to the generator
_FEW = 50  # records of text from one call to a model
_OLDEST = 120
_AGE = re.compile(r"(?:^|_)(?:age|edad)s?(?:$|_)", re.IGNORECASE)
_BORN = re.compile(r"birth|born|nacim|\bdob\b", re.IGNORECASE)
_SEX = re.compile(r"^(?:sex|gender|sexo|g[eé]nero)$", re.IGNORECASE)
_SEXES = {
    "f": "F", "female": "F", "woman": "F", "mujer": "F", "femenino": "F", "women": "F",
    "m": "M", "male": "M", "man": "M", "hombre": "M", "masculino": "M", "men": "M",
}  # fmt: skip
_FULL = frozenset({"name", "full_name", "fullname", "nombre", "customer_name", "employee_name"})
_FIRST = frozenset({"first_name", "firstname", "given_name", "nombre_de_pila"})
_JOB = frozenset({"job", "occupation", "profession", "job_title", "ocupacion", "ocupación"})
_MAIL = frozenset({"email", "mail", "e_mail", "correo"})


class NoWords(ValueError):
    """A backend gave no texts, or too few of them."""


async def words_for(
    calls: BackendCalls, backend: str, spec: Spec, rows: Sequence[Row], *, seed: int, year: int
) -> list[dict[str, str]]:
    """The texts of each row. Raises `NoWords`. `year` is this year, from which ages count."""
    names = [field.name for field in spec.words]
    ours = calls.config.backends[backend].kind == "generator"
    words: list[dict[str, str]] = []
    while len(words) < len(rows):
        count = min(len(rows) - len(words), _BATCH if ours else _FEW)
        batch = rows[len(words) : len(words) + count]
        own = (seed + len(words)) % 2**62
        job = words_job(spec, count, seed=own, rows=None if ours else batch)
        answer = await calls.chat(backend, job)
        try:
            made = words_in(answer or "", names, count)
        except (ValueError, KeyError, TypeError) as error:
            raise NoWords(f"{backend} gave no {', '.join(names)}: {error}") from None
        if ours:
            draw = random.Random(own)
            made = [fitting(text, row, draw, year) for text, row in zip(made, batch, strict=True)]
        words += made
    return words


def fitting(text: Mapping[str, str], row: Row, draw: random.Random, year: int) -> dict[str, str]:
    """The texts of one row, made to fit its age, its date of birth and its sex."""
    fit = dict(text)
    age, decade = _age(row, year), _decade(row, year)
    first = ""
    for name in text:
        key = name.lower()
        if decade is not None and key in _FULL | _FIRST:
            first = first or _drawn(first_names(decade, _sex(row)), draw)
            fit[name] = f"{first} {_drawn(surnames(), draw)}" if key in _FULL else first
        elif age is not None and key in _JOB:
            fit[name] = _drawn(jobs(int(age)), draw)
    person = next((fit[name] for name in fit if name.lower() in _FULL), "")
    for name in text:
        if person and name.lower() in _MAIL:
            fit[name] = _address(person, draw)
    return fit


def _drawn(table: Table, draw: random.Random) -> str:
    return draw.choices(table.labels, table.weights)[0]


def _age(row: Row, year: int) -> float | None:
    """The age in a row, or the age by its date of birth."""
    for name, value in row.items():
        if _AGE.search(name) and type(value) in (int, float) and 0 <= value <= _OLDEST:
            return float(value)
    born = _born(row)
    return None if born is None or not 0 <= year - born <= _OLDEST else float(year - born)


def _decade(row: Row, year: int) -> int | None:
    born = _born(row)
    if born is None:
        age = _age(row, year)
        if age is None:
            return None
        born = year - int(age)
    return min(max(born // 10 * 10, FIRST_DECADE), LAST_DECADE)


def _born(row: Row) -> int | None:
    """The year of birth in a row."""
    for name, value in row.items():
        if _BORN.search(name):
            match = re.match(r"(?:19|20)\d\d", str(value))
            if match is not None:
                return int(match[0])
    return None


def _sex(row: Row) -> str:
    for name, value in row.items():
        if _SEX.match(name):
            return _SEXES.get(str(value).lower(), "")
    return ""


def _address(person: str, draw: random.Random) -> str:
    letters = unicodedata.normalize("NFKD", person.lower())
    plain = re.sub(r"[^a-z ]", "", letters.replace(".", " ").replace("-", " ")).split()
    return (
        f"{'.'.join(plain)}{draw.randrange(1, 10_000)}@example.{draw.choice(('com', 'net', 'org'))}"
    )
