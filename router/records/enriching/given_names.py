"""Names of persons, with the gender and the form of address that go with them."""

from router.records.catalogue.tables import plain, sections_of, values
from router.records.enriching.facts import Facts
from router.records.planned_field import PlannedField

_OFTEN = 0.6  # share of people with a frequent name


def first_name_of(facts: Facts, field: PlannedField, _: int) -> str:
    female = is_female(facts)
    kind = "female" if female else "male"
    names = values(f"{_frequency(facts)}_{kind}", field.language)
    form, user = facts.form, str(facts.values.get("username") or "")
    if user and form is not None and form.handle.startswith("{f}"):  # the user name has its initial
        names = (*names, *values(f"first_{kind}", field.language))
        names = tuple(name for name in names if plain(name)[:1] == user[:1]) or names
    return facts.random.choice(names)


def _frequency(facts: Facts) -> str:
    """Which of the lists of names: more than half of all people have a name that is frequent."""
    return "often" if facts.random.random() < _OFTEN else "first"


def is_female(facts: Facts) -> bool:
    given = plain(str(facts.values.get("gender") or facts.values.get("honorific") or ""))
    first = str(facts.values.get("first_name") or facts.values.get("name") or "").split()[:1]
    if not given and first:
        women, men = (_FIRST_NAMES[k] & sections_of(first[0]) for k in ("female", "male"))
        if bool(women) != bool(men):
            return bool(women)
    if given:
        return given.strip(".")[:1] in ("f", "m") and given[:2] in ("fe", "f", "mu", "mr", "ms")
    return facts.random.random() < 0.5


def gender_of(facts: Facts, field: PlannedField, _: int) -> str:
    names = values("gender", field.language)
    return names[0] if is_female(facts) else names[1]


def honorific_of(facts: Facts, field: PlannedField, _: int) -> str:
    """The form of address that goes with gender or name."""
    female = is_female(facts)
    if field.language == "es":
        return facts.random.choice(("Sra.", "Dña.", "Dra.") if female else ("Sr.", "D.", "Dr."))
    return facts.random.choice(("Ms", "Mrs", "Dr") if female else ("Mr", "Mr", "Dr"))


_FIRST_NAMES = {kind: frozenset((f"first_{kind}", f"often_{kind}")) for kind in ("female", "male")}


def last_name_of(facts: Facts, field: PlannedField, _: int) -> str:
    often = values("often_last", field.language)
    surnames = values("last", field.language)
    first = facts.random.choice(often if facts.random.random() < _OFTEN else surnames)
    if field.language == "es" and facts.random.random() < 0.6:
        return f"{first} {facts.random.choice(surnames)}"
    return first


def name_of(facts: Facts, field: PlannedField, index: int) -> str:
    first, last = first_name_of(facts, field, index), last_name_of(facts, field, index)
    if field.concept == "name":
        facts.values.setdefault("first_name", first)
        facts.values.setdefault("last_name", last)
    return f"{first} {last}"
