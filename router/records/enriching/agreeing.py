"""What made numbers of one record owe each other by their names: least <= mean <= most, no more
enrolled than seats, shares that add up to a hundred. Given values stay as they are."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.enriching.made_values import Made
from router.records.enriching.worked_out import by_names, takings
from router.records.likeness.links import is_number
from router.records.nodes import Object
from router.records.planning import PlannedObject

_RANKS: Mapping[str, int] = {
    **dict.fromkeys(("min", "minimum", "minimo", "minima", "low", "lowest", "least"), 0),
    **dict.fromkeys(("avg", "average", "mean", "media", "medio", "promedio"), 1),
    **dict.fromkeys(("max", "maximum", "maximo", "maxima", "high", "highest", "most"), 2),
}
# A part of a whole, by words of their names: no more of the first than of the second.
_PARTS = tuple(
    (frozenset(part.split()), frozenset(whole.split()))
    for part, whole in (
        (
            "enrolled attending attendees booked occupied participants registered sold guests "
            "inscritos asistentes ocupadas vendidas matriculados reserved signups",
            "seats capacity aforo plazas spots places slots limit",
        ),
        ("clicks clics opens aperturas", "impressions impresiones sent enviados views"),
        ("conversions conversiones purchases", "clicks clics visits visitas sessions"),
        ("passed aprobados failed suspensos", "students alumnos tested exams total taken"),
        ("spent gastado gasto", "budget presupuesto"),
        ("read leidas leido", "pages paginas"),
        ("available libres free", "total capacity plazas"),
        ("completed done hechas completadas", "total planned tasks tareas planificadas"),
    )
)
_SHARES = frozenset(
    (
        "yes", "no", "si", "undecided", "neutral", "agree", "disagree", "dk", "other", "male",
        "female", "men", "women", "hombres", "mujeres", "favor", "contra", "abstain", "abstencion",
        "positive", "negative", "positivo", "negativo", "against", "promoters", "passives",
        "detractors", "protein", "fat", "carbs", "unsure", "otros", "blanco",
    )
)  # fmt: skip
_TIMES = (
    *(("dep", "arr"), ("departure", "arrival"), ("opens", "closes"), ("doors", "start")),
    *(("start", "end"), ("opening", "closing"), ("from", "to"), ("salida", "llegada")),
    *(("apertura", "cierre"), ("inicio", "fin")),
)
_OF_SHARES = frozenset(("pct", "percent", "percentage", "share", "porcentaje", "pc"))


def agree(
    values: dict[str, Any],
    new: frozenset[str],
    node: Object,
    planned: PlannedObject,
    chance: Random,
) -> None:
    """Change new values of a record so that they agree with the others."""
    bound = {key for key, relation in planned.relations.items() for key in (key, *relation.parts)}
    made = Made(values, new - bound, dict(node.fields))
    _ranked(made)
    by_names(made)
    _parts(made, chance)
    takings(made)
    _shares(made, chance)
    _stock(made, planned, chance)
    _winner(made, planned)
    _times(made, planned)


def _ranked(made: Made) -> None:
    groups: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    numbers = made.numbers()
    for key in numbers:
        words = words_of(key)
        ranks = [_RANKS[word] for word in words if word in _RANKS]
        if len(ranks) == 1:
            rest = tuple(word for word in words if word not in _RANKS)
            groups.setdefault(rest, []).append((ranks[0], key))
    for group in groups.values():
        keys = [key for _, key in sorted(group)]
        if len(keys) > 1 and len({rank for rank, _ in group}) == len(keys):
            _ascending(made, keys, numbers)


def _ascending(made: Made, keys: list[str], numbers: Mapping[str, float]) -> None:
    free = [key for key in keys if key in made.new]
    for key, value in zip(free, sorted(numbers[key] for key in free), strict=True):
        made.put(key, value)
    for place, key in enumerate(keys):  # beside given values: not beyond them
        lower = [made.values[k] for k in keys[:place] if k not in made.new]
        upper = [made.values[k] for k in keys[place + 1 :] if k not in made.new]
        if lower or upper:
            value = max([made.values[key], *lower])
            made.put(key, min([value, *upper]))


def _parts(made: Made, chance: Random) -> None:
    numbers = made.numbers()
    words = {key: set(words_of(key)) for key in numbers}
    for part, whole in _PARTS:
        for smaller in (key for key in numbers if words[key] & part):
            for other in (key for key in numbers if words[key] & whole and not words[key] & part):
                value, most = made.values[smaller], made.values[other]
                if value <= most or type(value) is not type(most):
                    continue
                if smaller in made.new:
                    share = chance.uniform(0.3, 1.0) * most
                    made.put(smaller, int(share) if isinstance(most, int) else round(share, 2))
                else:
                    made.put(other, value * 2)


def _shares(made: Made, chance: Random) -> None:
    """Parts of a hundred that exclude each other: yes, no and undecided."""
    keys = [
        key
        for key in made.fields
        if len(words := words_of(key)) > 1 and set(words) & _SHARES and words[-1] in _OF_SHARES
    ]
    free = [key for key in keys if key in made.new]
    given = [made.values[key] for key in keys if key not in made.new]
    if len(keys) < 2 or not free or not all(is_number(value) for value in given):
        return
    whole = all(isinstance(made.values[key], int) for key in free)
    left = 100 - sum(given)
    for n, key in enumerate(free):
        last = n == len(free) - 1
        value = left if last else left * chance.uniform(0.2, 0.7)
        value = int(value) if whole else round(value, 1)
        made.put(key, value)
        left = left - value if whole else round(left - value, 1)


def _by_concept(planned: PlannedObject, concept: str) -> Iterator[str]:
    return (key for key, field in planned.fields.items() if field.concept == concept)


def _stock(made: Made, planned: PlannedObject, chance: Random) -> None:
    """In stock if there are some."""
    for key in _by_concept(planned, "stock"):
        for switch in (k for k in made.fields if set(words_of(k)) >= {"in", "stock"} and k != key):
            stock, there = made.values.get(key), made.values.get(switch)
            if stock is None or not is_number(stock) or not isinstance(there, bool):
                continue
            if there == (stock > 0):
                continue
            if switch in made.new:
                made.put(switch, stock > 0)
            else:
                made.put(key, chance.randint(1, 200) if there else 0)


def _winner(made: Made, planned: PlannedObject) -> None:
    keys = [key for key in made.new if words_of(key)[-1:] in (["winner"], ["ganador"])]
    for home, away in (("home", "away"), ("local", "visitante")):
        teams = [key for side in (home, away) for key in _of_side(planned, "club", side)]
        goals = [key for side in (home, away) for key in _of_side(planned, "goals", side)]
        if keys and len(teams) == 2 and len(goals) == 2:
            first, second = (made.values[key] for key in goals)
            draw = "empate" if home == "local" else "draw"
            made.put(keys[0], draw if first == second else made.values[teams[first < second]])


def _of_side(planned: PlannedObject, concept: str, side: str) -> list[str]:
    return [key for key in _by_concept(planned, concept) if side in words_of(key)]


def _times(made: Made, planned: PlannedObject) -> None:
    """Of two times of a day, such as opening and closing, the later comes last."""
    for early, late in _TIMES:
        keys = list(_by_concept(planned, "time"))
        first = [key for key in keys if early in words_of(key)]
        last = [key for key in keys if late in words_of(key)]
        if len(first) == len(last) == 1:
            a, b = str(made.values[first[0]]), str(made.values[last[0]])
            if len(a) == len(b) and a >= b:
                _later(made, first[0], last[0], a, b)


def _later(made: Made, first: str, last: str, early: str, late: str) -> None:
    if {first, last} <= made.new and early != late:
        made.put(first, late)
        made.put(last, early)
    elif last in made.new:
        made.put(last, _moved(early, 75))
    else:
        made.put(first, _moved(late, -75))


def _moved(time: str, minutes: int) -> str:
    """A time so many minutes later, within the day."""
    hour, minute, rest = time[:2], time[3:5], time[5:]
    if not (hour.isdigit() and minute.isdigit()):
        return time
    total = min(max(int(hour) * 60 + int(minute) + minutes, 0), 23 * 60 + 59)
    return f"{total // 60:02}:{total % 60:02}{rest}"
