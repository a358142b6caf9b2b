"""The fields of a made record go together: dates in order, spans, sums, states, places, ranks."""

import datetime as dt
import random

import pytest
from faker import Faker

from router.records.enriching.filler import enriched
from router.records.enriching.making import AS_OF, RecordMaker
from router.records.planning import planned
from router.records.shapes import parse


def made(shape, count=12, examples=()):
    node = parse(shape).node
    maker = RecordMaker(planned(node, examples=examples), Faker(), 5, AS_OF)
    return [maker.make(node, n) for n in range(count)]


def filled(record, examples):
    whole = {key: value for row in examples for key, value in row.items()}
    shape = {key: "string" if isinstance(value, str) else value for key, value in whole.items()}
    node = parse(shape).node
    plan = planned(node, examples=examples)
    [row] = enriched([record], node, seed=random.Random(1).randrange(99), fake=Faker(),
                     as_of=AS_OF, plan=plan)  # fmt: skip
    return row


def days(row, first, last):
    return (dt.date.fromisoformat(row[last][:10]) - dt.date.fromisoformat(row[first][:10])).days


@pytest.mark.parametrize(
    ("shape", "holds"),
    [
        ({"createdAt": "datetime", "updatedAt": "datetime", "closedAt": "datetime"},
         lambda r: r["createdAt"] <= r["updatedAt"] <= r["closedAt"]),
        ({"opened": "datetime", "firstResponse": "datetime", "resolved": "datetime"},
         lambda r: r["opened"] <= r["firstResponse"] <= r["resolved"]),
        ({"ticket": "string", "status": "string", "closed_at": "date"},
         lambda r: r["status"] in ("closed", "resolved")),
        ({"joinDate": "date", "status": "active|cancelled", "cancelledOn": "date|null"},
         lambda r: (r["cancelledOn"] is None) == (r["status"] == "active")),
        ({"checkIn": "date", "checkOut": "date", "nights": "int"},
         lambda r: days(r, "checkIn", "checkOut") == r["nights"]),
        ({"pickup_date": "date", "return_date": "date", "days": "int", "price_per_day": "number",
          "total_price": "number"},
         lambda r: abs(r["days"] * r["price_per_day"] - r["total_price"]) < 0.02),
        ({"lines": [{"product": "string", "quantity": "int", "unitPrice": "number",
                     "lineTotal": "number"}], "subtotal": "number", "tax": "number",
          "total": "number"},
         lambda r: abs(sum(line["lineTotal"] for line in r["lines"]) - r["subtotal"]) < 0.02
         and abs(r["subtotal"] + r["tax"] - r["total"]) < 0.02),
        ({"flight": "string", "airline": "string", "departure": "datetime", "arrival": "datetime"},
         lambda r: r["departure"] < r["arrival"]),
        ({"visitDate": "date", "nextVisit": "date"}, lambda r: r["visitDate"] <= r["nextVisit"]),
        ({"minTemp": "number", "avgTemp": "number", "maxTemp": "number"},
         lambda r: r["minTemp"] <= r["avgTemp"] <= r["maxTemp"]),
        ({"seats": "int", "enrolled": "int"}, lambda r: r["enrolled"] <= r["seats"]),
        ({"yes_pct": "int", "no_pct": "int", "undecided_pct": "int"},
         lambda r: sum(r.values()) == 100),
        ({"inStock": "bool", "stockQty": "int"}, lambda r: r["inStock"] == (r["stockQty"] > 0)),
        ({"name": "string", "language": "string", "country": "string", "currency": "string"},
         lambda r: r["language"] == "English"),
        ({"street": "string", "city": "string", "state": "string", "zip": "string",
          "country": "string"}, lambda r: r["country"] == "United States"),
        ({"species": "string", "breed": "string"},
         lambda r: (r["breed"] in ("Beagle", "Poodle", "Border Collie", "German Shepherd",
                                   "Labrador Retriever")) == (r["species"] == "dog")),
        ({"items": [{"name": "string", "qty": "int", "price": "number", "total": "number"}],
          "itemCount": "int", "subtotal": "number", "discount": "number", "shipping": "number",
          "total": "number"},
         lambda r: r["itemCount"] == sum(line["qty"] for line in r["items"])
         and abs(r["subtotal"] + r["shipping"] - r["discount"] - r["total"]) < 0.02),
        ({"originCity": "string", "destinationCity": "string", "destinationCountry": "string"},
         lambda r: r["originCity"] != r["destinationCity"]),
        ({"nota_lengua": "number", "nota_mates": "number", "nota_media": "number",
          "aprobado": "bool"},
         lambda r: abs((r["nota_lengua"] + r["nota_mates"]) / 2 - r["nota_media"]) < 0.06
         and r["aprobado"] == (r["nota_media"] >= 5)),
        ({"amount": "number", "balanceBefore": "number", "balanceAfter": "number",
          "kind": "debit|credit"},
         lambda r: abs(r["balanceBefore"] + r["amount"] * (1 if r["kind"] == "credit" else -1)
                       - r["balanceAfter"]) < 0.02),
        ({"salutation": "string", "firstName": "string", "gender": "string"},
         lambda r: (r["salutation"] in ("Mr", "Dr")) or r["gender"] == "female"),
        ({"bedrooms": "int", "area_m2": "int", "price": "int", "price_per_m2": "number"},
         lambda r: r["price"] > 50_000
         and abs(r["price"] / r["area_m2"] - r["price_per_m2"]) < 0.02),
        ({"pages": "int", "pagesRead": "int"}, lambda r: r["pagesRead"] <= r["pages"]),
        ({"weight_kg": 2.5, "weight_lb": 5.5},
         lambda r: abs(r["weight_kg"] * 2.20462 - r["weight_lb"]) < 0.1),
    ],
)  # fmt: skip
def test_the_fields_of_a_record_go_together(shape, holds):
    rows = made(shape)
    assert [row for row in rows if not holds(row)] == []


@pytest.mark.parametrize(
    ("examples", "record", "expected"),
    [
        ([{"start": "2024-05-06", "end": "2024-05-10", "days": 5},
          {"start": "2024-05-21", "end": "2024-05-21", "days": 1}],
         {"start": "2024-07-01", "days": 3}, {"end": "2024-07-03"}),
        ([{"marks": 7.0, "grade": 6.5, "passed": "yes"}, {"marks": 4.0, "grade": 3.5,
          "passed": "no"}], {"marks": 5.0, "grade": 4.0}, {"passed": "no"}),
        ([{"title": "Cotton T-Shirt, Green, S", "colour": "Green", "size": "S"},
          {"title": "Cotton T-Shirt, Black, M", "colour": "Black", "size": "M"}],
         {"colour": "Red", "size": "L"}, {"title": "Cotton T-Shirt, Red, L"}),
        ([{"city": "Portland", "state": "OR"}, {"city": "Milwaukee", "state": "WI"}],
         {"city": "Chicago"}, {"state": "IL"}),
        ([{"clicks": 280, "impressions": 10_000, "ctr": 0.028}, {"clicks": 60,
          "impressions": 4_000, "ctr": 0.015}], {"clicks": 560, "impressions": 20_000},
         {"ctr": 0.028}),
    ],
)  # fmt: skip
def test_what_the_examples_have_in_common_holds_for_a_filled_record(examples, record, expected):
    row = filled(record, examples)
    assert {key: row[key] for key in expected} == expected


def test_stars_go_with_the_words_of_a_review():
    examples = [{"review": "Would buy again.", "stars": 5}, {"review": "Too noisy.", "stars": 2}]
    assert filled({"review": "Broke after a week, very disappointed."}, examples)["stars"] <= 2
    assert filled({"review": "Best kettle we ever had!"}, examples)["stars"] >= 4
