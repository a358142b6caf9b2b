"""Typical values of a concept, from the shipped tables, so that they agree with the record's."""

from collections.abc import Callable, Mapping
from typing import Any

from router.records.catalogue.tables import (
    cars,
    concepts,
    plain,
    values,
)
from router.records.enriching.animals import breed, species
from router.records.enriching.atlas import capital_of
from router.records.enriching.facts import Facts
from router.records.enriching.feelings import feeling
from router.records.enriching.given_names import (
    first_name_of,
    gender_of,
    honorific_of,
    last_name_of,
    name_of,
)
from router.records.enriching.identity import company_id, iban, isbn, national_id
from router.records.enriching.places import place_of
from router.records.enriching.things import product_of, trouble_of
from router.records.enriching.tongues import language_here, nationality_here
from router.records.likeness.codes import CodeForm
from router.records.likeness.handles import handle
from router.records.likeness.numbers import Magnitude
from router.records.planned_field import PlannedField

_DEAR = {"car": (3_000, 42_000, 50), "property": (90_000, 640_000, 1_000)}  # what costs more
_STATUSES_AFTER = {"delivered": ("delivered", "entregado"), "shipped": ("shipped", "enviado")}


def typical(field: PlannedField, facts: Facts, index: int) -> Any:
    """A typical value of the field's concept; None if the catalogue has none."""
    concept = concepts().get(field.concept)
    if concept is None:
        return None
    make = _MAKERS.get(field.concept)
    if make is not None:
        return make(facts, field, index)
    kind, _, rest = concept.making.partition(" ")
    match kind:
        case "pick":
            return facts.random.choice(values(rest, field.language))
        case "int" | "number" | "cents":
            return _number(kind, rest.split(), facts)
        case "code":
            return code(rest, facts)
        case "bool":
            return facts.random.random() < 0.6
        case "time":
            hour, minute = facts.random.randint(7, 21), facts.random.choice((0, 15, 30, 45))
            return f"{hour:02}:{minute:02}"
    return None


def _number(kind: str, bounds: list[str], facts: Facts) -> float | int:
    low, high = float(bounds[0]), float(bounds[1])
    if kind == "int":
        step = int(10 ** max(len(bounds[1]) - 3, 0))
        return facts.random.randint(round(low / step), round(high / step)) * step
    if kind == "cents":
        whole = facts.random.triangular(low, high, low + (high - low) / 4)
        return round(int(whole) + facts.random.choice((0.0, 0.5, 0.9, 0.95, 0.99)), 2)
    return round(facts.random.uniform(low, high), int(bounds[2]))


def code(pattern: str, facts: Facts) -> str:
    """Replace each # of a pattern by a digit, and each @ by a capital letter."""
    letters = {"#": "0123456789", "@": "ABCDEFGHJKLMNPRSTUVWXYZ"}
    return "".join(facts.random.choice(letters.get(mark, mark)) for mark in pattern)


def _street(facts: Facts, field: PlannedField, _: int) -> str:
    street, number = (
        facts.random.choice(values("street", field.language)),
        facts.random.randint(1, 180),
    )
    return f"{street}, {number}" if field.language == "es" else f"{number} {street}"


def _address(facts: Facts, field: PlannedField, index: int) -> str:
    street = _street(facts, field, index)
    if field.language == "es" and facts.random.random() < 0.4:
        return f"{street}, {facts.random.choice(values('street_word', 'es'))}"
    return street


def _company(facts: Facts, field: PlannedField, _: int) -> str:
    stem = facts.random.choice(values("company_stem", field.language))
    kinds = [entry.split("|") for entry in values("company_kind", field.language)]
    wanted = plain(str(facts.values.get("industry") or ""))
    fitting = [kind for kind in kinds if plain(kind[1]) == wanted] or kinds
    kind, industry = facts.random.choice(fitting)
    facts.values.setdefault("industry", industry)
    forms = values("company_form", field.language)
    if field.language == "es":
        return f"{kind} {stem} {facts.random.choice(forms)}"
    form = f" {facts.random.choice(forms)}" if facts.random.random() < 0.6 else ""
    return f"{stem} {kind}{form}"


def _industry(facts: Facts, field: PlannedField, index: int) -> str:
    _company(facts, field, index)
    return str(facts.values["industry"])


def _product(facts: Facts, field: PlannedField, _: int) -> str:
    """The name under which a shop lists the product; short names say more, such as the material."""
    line, item = product_of(facts)
    spanish = field.language == "es"
    name = item.spanish if spanish else item.english
    if len(item.english.split()) > 2 or not line.kinds or facts.random.random() > 0.6:
        return name
    kind = facts.random.choice(line.kinds)
    if set(plain(kind.english).split()) & set(plain(item.english).split()):
        return name
    return f"{name} {kind.spanish}" if spanish else f"{kind.english} {name}"


def _category(facts: Facts, field: PlannedField, _: int) -> str:
    line = product_of(facts)[0]
    return line.spanish if field.language == "es" else line.english


def _brand(facts: Facts, _: PlannedField, __: int) -> str:
    return facts.random.choice(product_of(facts)[0].brands)


def _price(facts: Facts, _: PlannedField, __: int) -> float:
    if facts.entity in _DEAR:
        low, high, step = _DEAR[facts.entity]
        return float(facts.random.randint(low // step, high // step) * step)
    line = product_of(facts)[0]
    whole = facts.random.triangular(
        line.least, line.most, line.least + (line.most - line.least) / 5
    )
    return round(int(whole) + facts.random.choice((0.0, 0.5, 0.9, 0.95, 0.99)), 2)


def _msrp(facts: Facts, field: PlannedField, index: int) -> float:
    if facts.entity in _DEAR:
        return round(_price(facts, field, index) * 1.08)
    return float(_number("cents", ["5", "400"], facts))


def _sku(facts: Facts, field: PlannedField, _: int) -> str:
    line, item = product_of(facts)
    name = item.spanish if field.language == "es" else item.english
    if isinstance(field.style, CodeForm):
        return _sku_like(field.style, facts, name)
    start = "".join(letter for letter in plain(name) if letter.isalpha())[:3]
    kind = plain(line.spanish if field.language == "es" else line.english)[:2]
    return f"{start}-{kind}-{facts.random.randint(1, 999):03}".upper()


def _sku_like(form: CodeForm, facts: Facts, name: str) -> str:
    """A code in the form of the examples, whose letters are of the product's name."""
    chosen = facts.random.choice(form.others) if form.others else form
    words = [word for word in plain(name).replace("-", " ").split() if word.isalpha()]
    parts: list[str] = []
    for part in chosen.parts:
        if part.kind in ("fixed", "choice") and part.texts[0].isalpha() and words:
            word = words[len([p for p in parts if p.isalpha()]) % len(words)]
            parts.append(word[: len(part.texts[0])].upper().ljust(len(part.texts[0]), "X"))
        else:
            parts.append(CodeForm((part,), "").write(facts.random, 0))
    return "".join(parts)


def _description(facts: Facts, field: PlannedField, _: int) -> str:
    line, item = product_of(facts)
    material = facts.random.choice(values("material", field.language))
    if field.language == "es":
        return f"{item.spanish} de {facts.random.choice(line.brands)}, fabricado en {material}."
    return f"{item.english} by {facts.random.choice(line.brands)}, made of {material}."


def _priority(facts: Facts, field: PlannedField, _: int) -> str:
    return values("priority", field.language)[trouble_of(facts).priority - 1]


def _ticket_status(facts: Facts, field: PlannedField, _: int) -> str:
    statuses = values("ticket_status", field.language)
    closed = facts.values.get("end") or facts.values.get("resolution")
    return facts.random.choice(statuses[-2:] if closed else statuses)


def _order_status(facts: Facts, field: PlannedField, _: int) -> str:
    statuses = values("order_status", field.language)
    for concept, wanted in _STATUSES_AFTER.items():
        if facts.values.get(concept):
            return next(status for status in statuses if status in wanted)
    return facts.random.choice(statuses)


def _bio(facts: Facts, field: PlannedField, _: int) -> str:
    job = facts.values.get("job") or facts.random.choice(values("job", field.language))
    city = facts.values.get("city")
    hobby = facts.random.choice(values("hobby", field.language))
    if field.language == "es":
        return f"{job}{f' de {city}' if city else ''}. En su tiempo libre: {hobby}."
    return f"{job}{f' from {city}' if city else ''} who enjoys {hobby}."


def rating_of(facts: Facts, field: PlannedField) -> float | int | None:
    """Stars that go with the words of the record's review."""
    text = facts.values.get("review")
    mood = feeling(text) if isinstance(text, str) else 0
    if mood == 0:
        return None
    stars = facts.random.choice((4, 5) if mood > 0 else (1, 2))
    return stars * 2 if isinstance(field.style, Magnitude) and field.style.most > 5 else stars


def _review(facts: Facts, field: PlannedField, _: int) -> str:
    reviews, stars = values("review", field.language), facts.number("rating")
    if stars is not None:
        low = stars <= 4 if stars > 5 else stars <= 2
        high = stars >= 8 if stars > 5 else stars >= 4
        fitting = [
            text for text in reviews if (feeling(text) > 0) == high and (feeling(text) < 0) == low
        ]
        reviews = tuple(fitting) or reviews
    return facts.random.choice(reviews)


def _car(facts: Facts) -> tuple[str, tuple[str, ...]]:
    given = plain(str(facts.values.get("car_make") or ""))
    fitting = [car for car in cars() if plain(car[0]) == given]
    return fitting[0] if fitting else facts.random.choice(cars())


def _car_make(facts: Facts, _: PlannedField, __: int) -> str:
    return _car(facts)[0]


def _car_model(facts: Facts, _: PlannedField, __: int) -> str:
    maker, models = _car(facts)
    facts.values.setdefault("car_make", maker)
    return facts.random.choice(models)


def _plate(facts: Facts, field: PlannedField, _: int) -> str:
    consonants = "BCDFGHJKLMNPRSTVWXYZ"
    letters = "".join(facts.random.choice(consonants) for _ in range(3))
    if field.language == "es":
        return f"{facts.random.randint(0, 9999):04} {letters}"
    return f"{letters[:2]}{facts.random.randint(10, 74)} {letters}"


def _country_of(facts: Facts) -> str:
    return facts.place.country_code if facts.place else ""


def _capital(facts: Facts, _: PlannedField, __: int) -> str:
    """The capital of the record's country."""
    return capital_of(place_of(facts).country_code)


def _username(facts: Facts, field: PlannedField, index: int) -> str:
    """A user name of somebody whom the record does not name."""
    first, last = first_name_of(facts, field, index), last_name_of(facts, field, index)
    form = facts.form.handle if facts.form is not None and facts.form.handle else "{first}.{last}"
    return handle(form, first, last)


def _email(facts: Facts, field: PlannedField, index: int) -> str:
    return f"{_username(facts, field, index)}@example.com"


def _series(prefix: str, spanish: str, first: int) -> Callable[[Facts, PlannedField, int], str]:
    def number(facts: Facts, field: PlannedField, index: int) -> str:
        start = first + facts.series % 5_000
        return f"{spanish if field.language == 'es' else prefix}-{start + index}"

    return number


def _quarter(facts: Facts, _: PlannedField, __: int) -> str:
    return f"Q{facts.random.randint(1, 4)} {facts.random.randint(2022, 2026)}"


def _token(facts: Facts, _: PlannedField, __: int) -> str:
    return f"{facts.random.getrandbits(160):040x}"


def _host(facts: Facts, _: PlannedField, __: int) -> str:
    name = facts.random.choice(("web", "db", "app", "cache", "mail", "worker"))
    return f"{name}-{facts.random.randint(1, 20):02}.{facts.random.choice(('eu', 'us', 'local'))}"


def _uuid(facts: Facts, _: PlannedField, __: int) -> str:
    text = f"{facts.random.getrandbits(128):032x}"
    variant = facts.random.choice("89ab")
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def _ip(facts: Facts, _: PlannedField, __: int) -> str:
    chance = facts.random
    return f"10.{chance.randint(0, 40)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"


def _mac(facts: Facts, _: PlannedField, __: int) -> str:
    return ":".join(f"{facts.random.randint(0, 255):02x}" for _ in range(6))


def _image(facts: Facts, _: PlannedField, __: int) -> str:
    return f"https://images.example.com/{facts.random.randint(1000, 9999)}.jpg"


def _password(facts: Facts, _: PlannedField, __: int) -> str:
    letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%"
    return "".join(facts.random.choice(letters) for _ in range(14))


def _agent(facts: Facts, _: PlannedField, __: int) -> str:
    version = facts.random.randint(120, 140)
    return f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"


_MAKERS: Mapping[str, Callable[[Facts, PlannedField, int], Any]] = {
    "review": _review, "msrp": _msrp, "gender": gender_of, "honorific": honorific_of,
    "language": language_here, "nationality": nationality_here, "species": species, "breed": breed,
    "capital": _capital, "username": _username, "email": _email,
    "name": name_of, "first_name": first_name_of, "last_name": last_name_of, "street": _street,
    "address": _address, "company": _company, "industry": _industry, "product": _product,
    "category": _category, "brand": _brand, "price": _price, "unit_price": _price,
    "sku": _sku, "description": _description, "bio": _bio, "car_make": _car_make,
    "car_model": _car_model, "license_plate": _plate, "priority": _priority,
    "ticket_title": lambda facts, field, _: trouble_of(facts).subject[field.language],
    "ticket_body": lambda facts, field, _: trouble_of(facts).text[field.language],
    "ticket_category": lambda facts, field, _: trouble_of(facts).category[field.language],
    "ticket_status": _ticket_status, "order_status": _order_status, "quarter": _quarter,
    "national_id": lambda f, field, _: national_id(f.random, _country_of(f), field.language),
    "company_tax_id": lambda f, field, _: company_id(f.random, _country_of(f), field.language),
    "iban": lambda facts, _, __: iban(facts.random, _country_of(facts)),
    "isbn": lambda facts, field, _: isbn(facts.random, field.language),
    "order_id": _series("ORD", "PED", 10_001), "invoice_number": _series("INV", "FAC", 2_001),
    "ticket_id": _series("TCK", "INC", 4_001), "customer_id": _series("C", "C", 1_001),
    "uuid": _uuid, "ip": _ip, "mac": _mac, "hostname": _host, "token": _token,
    "user_agent": _agent, "image_url": _image, "password": _password,
}  # fmt: skip
