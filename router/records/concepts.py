"""The concept that a field's name stands for, and the concepts that imply others. Pure."""

from router.records.catalogue.naming import named, words_of

PLACE = frozenset(
    {
        *("city", "region", "country", "country_code", "postcode", "phone", "dial_code"),
        *("currency", "timezone", "language_code", "locale", "latitude", "longitude"),
    }
)
ELSEWHERE = "elsewhere"  # the role of the place to which a record leads, from another place
# For each concept, the concepts from which a record's value can be derived.
DERIVED = {
    **{name: frozenset({"city"}) for name in PLACE - {"city"}},
    "first_name": frozenset({"name"}),
    "last_name": frozenset({"name"}),
    "email": frozenset({"name", "first_name", "last_name"}),
    "username": frozenset({"name", "first_name", "last_name"}),
    "age": frozenset({"birth_date"}),
    "birth_year": frozenset({"birth_date", "age"}),
    "price": frozenset({"msrp"}),
    "cost": frozenset({"msrp", "price"}),
    "discount": frozenset({"msrp"}),
    "subtotal": frozenset({"quantity"}),
    "amount": frozenset({"quantity"}),
    "tax": frozenset({"subtotal", "quantity"}),
    "total": frozenset({"subtotal", "quantity"}),
    "domain": frozenset({"company"}),
    "website": frozenset({"company", "domain"}),
    "max": frozenset({"min"}),
    "end": frozenset({"start"}),
    "updated": frozenset({"created"}),
    "shipped": frozenset({"ordered"}),
    "delivered": frozenset({"ordered", "shipped"}),
    "hired": frozenset({"birth_date"}),
    "due": frozenset({"ordered", "start", "created"}),
    "brand": frozenset({"product"}),
    "category": frozenset({"product"}),
    "description": frozenset({"product"}),
    "ticket_body": frozenset({"ticket_title"}),
    "ticket_category": frozenset({"ticket_title"}),
    "industry": frozenset({"company"}),
    "car_model": frozenset({"car_make"}),
}
# Pairs of moments: the first comes before the second.
ORDERED = (
    ("birth_date", "hired"),
    ("start", "end"),
    ("created", "updated"),
    ("ordered", "shipped"),
    ("shipped", "delivered"),
    ("ordered", "delivered"),
    ("created", "end"),
    ("ordered", "due"),
    ("start", "due"),
    ("created", "due"),
    ("birth_date", "created"),
    ("updated", "end"),
    ("created", "response"),
    ("response", "updated"),
    ("response", "end"),
    ("ordered", "paid"),
    ("hired", "terminated"),
    *((before, "cancelled") for before in ("created", "start", "ordered")),
    *((before, "next_date") for before in ("created", "start", "ordered", "date")),
)


def concept(name: str) -> str:
    """The concept of a field: `shippingCity` is a city; an unknown name is a concept of its own."""
    return named(name).concept or " ".join(words_of(name))
