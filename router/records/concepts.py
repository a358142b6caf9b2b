"""The concept that a field's name stands for, and the concepts that imply others. Pure."""

import re

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

# The last three, two or one words of a name are looked up: `billing_city` is a city.
_NAMES = {
    "first name": "first_name", "firstname": "first_name", "given name": "first_name",
    "last name": "last_name", "lastname": "last_name", "surname": "last_name",
    "family name": "last_name", "full name": "name", "fullname": "name", "name": "name",
    "user name": "username", "username": "username", "login": "username", "handle": "username",
    "email": "email", "mail": "email", "email address": "email", "e mail": "email",
    "city": "city", "town": "city", "state": "region", "province": "region", "region": "region",
    "country": "country", "country name": "country", "nation": "country",
    "country code": "country_code", "iso code": "country_code", "zip": "postcode",
    "zip code": "postcode", "zipcode": "postcode", "postal code": "postcode",
    "postcode": "postcode", "post code": "postcode", "phone": "phone", "phone number": "phone",
    "mobile": "phone", "telephone": "phone", "tel": "phone", "cell": "phone",
    "dial code": "dial_code", "dialing code": "dial_code", "calling code": "dial_code",
    "currency": "currency", "currency code": "currency", "timezone": "timezone",
    "time zone": "timezone", "tz": "timezone", "language": "language", "locale": "locale",
    "lat": "latitude", "latitude": "latitude", "lon": "longitude", "lng": "longitude",
    "long": "longitude", "longitude": "longitude",
    "age": "age", "birth date": "birth_date", "birthdate": "birth_date", "dob": "birth_date",
    "date of birth": "birth_date", "birthday": "birth_date", "born": "birth_date",
    "birth year": "birth_year", "year of birth": "birth_year",
    "price": "price", "sale price": "price", "unit price": "unit_price", "msrp": "msrp",
    "list price": "msrp", "retail price": "msrp", "original price": "msrp", "rrp": "msrp",
    "cost": "cost", "unit cost": "cost", "cost price": "cost", "discount": "discount",
    "discount percent": "discount", "discount pct": "discount", "quantity": "quantity",
    "qty": "quantity", "subtotal": "subtotal", "sub total": "subtotal", "tax": "tax",
    "tax amount": "tax", "total": "total", "total price": "total", "total amount": "total",
    "amount": "amount", "line total": "amount",
    "company": "company", "employer": "company", "company name": "company",
    "organization": "company", "organisation": "company", "domain": "domain",
    "website": "website", "url": "website", "homepage": "website", "site": "website",
    "min": "min", "minimum": "min", "max": "max", "maximum": "max",
    "start": "start", "start date": "start", "starts at": "start", "check in": "start",
    "end": "end", "end date": "end", "ends at": "end", "check out": "end",
    "created": "created", "created at": "created", "created on": "created",
    "signup date": "created", "registered at": "created", "updated": "updated",
    "updated at": "updated", "modified at": "updated", "last login": "updated",
    "order date": "ordered", "ordered at": "ordered", "ordered": "ordered",
    "ship date": "shipped", "shipped at": "shipped", "shipped": "shipped",
    "delivery date": "delivered", "delivered at": "delivered", "delivered": "delivered",
    "hire date": "hired", "hired at": "hired", "hired": "hired", "joined": "hired",
}  # fmt: skip

PLACE = frozenset(
    {
        *("city", "region", "country", "country_code", "postcode", "phone", "dial_code"),
        *("currency", "timezone", "language", "locale", "latitude", "longitude"),
    }
)
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
}
# Pairs of moments: the first comes before the second.
ORDERED = (
    ("birth_date", "hired"),
    ("start", "end"),
    ("created", "updated"),
    ("ordered", "shipped"),
    ("shipped", "delivered"),
    ("ordered", "delivered"),
)


_PEOPLE = frozenset(
    {
        *("customer", "client", "user", "person", "employee", "contact", "patient", "student"),
        *("guest", "author", "owner", "manager", "full", "display", "member", "passenger"),
        *("driver", "recipient"),
    }
)


def words_of(name: str) -> list[str]:
    """Split a name into words: `shippingCity` and `shipping_city` both give shipping and city."""
    return [word.lower() for word in _WORD.findall(str(name))]


def concept(name: str) -> str:
    """The concept of a field: `shippingCity` is a city; an unknown name is a concept of its own."""
    words = words_of(name)
    for size in (3, 2, 1):
        match = _NAMES.get(" ".join(words[-size:])) if len(words) >= size else None
        # The field `product_name` holds no person's name.
        if match and not (match == "name" and len(words) > 1 and words[-2] not in _PEOPLE):
            return match
    return " ".join(words)
