"""People of the United States: names by decade of birth, jobs by age, ages and sexes."""

from bisect import bisect_right
from functools import cache

from sandbox.tables.table import Table, read_file, whole_table

FIRST_DECADE, LAST_DECADE = 1900, 2020
# Who does not work: a child, then a student, and from the first age of a US pension on a pensioner.
# Between the two the source says only that somebody is not in the labour force.
CHILD, STUDENT, PENSIONER, NEITHER = "Child", "Student", "Retired", "Not in the labor force"
SCHOOL_AGE, ADULT_AGE, PENSION_AGE = 5, 25, 62


@cache
def first_names(decade: int, sex: str = "") -> Table:
    """The most frequent first names of people born in `decade`; `sex` is F, M or empty for both."""
    if sex not in ("", "F", "M"):
        raise ValueError(f"sex must be F, M or empty, and is {sex!r}")
    if decade % 10 or not FIRST_DECADE <= decade <= LAST_DECADE:
        raise ValueError(
            f"names are known of people born from {FIRST_DECADE} on, by decade, and not of {decade}"
        )
    counts: dict[str, float] = {}
    for row in read_file("first_names").rows:
        if row["decade"] == str(decade) and sex in ("", row["sex"]):
            counts[row["label"]] = counts.get(row["label"], 0) + float(row["weight"])
    which = f", born in the {decade}s" + {"": "", "F": ", girls", "M": ", boys"}[sex]
    return read_file("first_names").table(tuple(counts), tuple(counts.values()), which)


def surnames() -> Table:
    return whole_table("surnames")


def occupations(age: int | None = None) -> Table:
    """Major occupational groups; at an `age`, with those who are students, retired or neither."""
    return _at_stage("occupations", age)


def jobs(age: int | None = None) -> Table:
    """Detailed occupations; at an `age`, with those who are students, retired or neither."""
    return _at_stage("jobs", age)


def _at_stage(name: str, age: int | None) -> Table:
    if age is None:
        return whole_table(name)
    starts = _stages()
    if age < 0:
        raise ValueError(f"nobody is {age} years old")
    at = bisect_right(starts, age)
    return _of_stage(name, starts[at - 1], starts[at] - 1 if at < len(starts) else None)


@cache
def _stages() -> tuple[int, ...]:
    """The ages at which the table of jobs changes."""
    rows = read_file("working").rows
    return tuple(sorted({0, SCHOOL_AGE, PENSION_AGE, *(int(row["from_age"]) for row in rows)}))


@cache
def _of_stage(name: str, start: int, end: int | None) -> Table:
    """Those who work do what all workers do: the source has no occupations by age."""
    work, working = whole_table(name), _working(start)
    labels = (*work.labels, _without_work(start)) if working else (_without_work(start),)
    weights = [share * working for share in work.shares] if working else []
    file = read_file("working")
    source = f"{work.source}; {file.head['source']} ({file.head['year']})"
    which = f", from {start} to {end}" if end is not None else f", from {start} on"
    return Table(work.name + which, labels, (*weights, 1 - working), source, work.year)


def _working(age: int) -> float:
    """The share of people of this age who are in the labour force."""
    rows = read_file("working").rows
    at = bisect_right([int(row["from_age"]) for row in rows], age)
    if not at:
        return 0.0
    return float(rows[at - 1]["in_labour_force"]) / float(rows[at - 1]["people"])


def _without_work(age: int) -> str:
    if age < SCHOOL_AGE:
        return CHILD
    if age < ADULT_AGE:
        return STUDENT
    return PENSIONER if age >= PENSION_AGE else NEITHER


@cache
def ages(sex: str = "") -> Table:
    """Age groups of five years, and the last of 85 and over; `sex` is F, M or empty for both."""
    if sex not in ("", "F", "M"):
        raise ValueError(f"sex must be F, M or empty, and is {sex!r}")
    file = read_file("ages")
    people = {
        "": lambda row: float(row["female"]) + float(row["male"]),
        "M": lambda row: float(row["male"]),
        "F": lambda row: float(row["female"]),
    }[sex]
    which = {"": "", "F": ", women", "M": ", men"}[sex]
    return file.table(
        tuple(row["label"] for row in file.rows), tuple(map(people, file.rows)), which
    )


@cache
def sexes() -> Table:
    """Women and men in the population."""
    women, men = sum(ages("F").weights), sum(ages("M").weights)
    return read_file("ages").table(("Female", "Male"), (women, men), ", both sexes")
