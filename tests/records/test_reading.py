"""What a record's own text states fills its missing fields; what it does not state is not read."""

import orjson
import pytest

from router.backends.enricher_backend import EnricherBackend
from router.config.backends import EnricherSettings
from router.domain import CHAT, Call


async def filled(record, missing, **more):
    wanted = {"shape": {**dict.fromkeys(record, "string"), **missing}, "records": record, "seed": 1}
    call = Call(CHAT, orjson.dumps({"messages": [], **wanted, **more}), False, "r")
    async with EnricherBackend(EnricherSettings(kind="enricher")).send(call) as reply:
        whole = orjson.loads(b"".join([piece async for piece in reply.body]))
    row = orjson.loads(whole["choices"][0]["message"]["content"])
    read = {entry["field"]: entry["text"] for entry in whole["enrichment"]["read_from_text"]}
    return row, read


@pytest.mark.parametrize(
    ("text", "wanted", "stated"),
    [
        ("Red cotton T-shirt, size M, only $14.90", {"color": "string", "size": "string",
         "price": "number", "material": "string"},
         {"color": "red", "size": "M", "price": 14.9, "material": "cotton"}),
        ("Camiseta roja, talla L, antes 25 €, ahora 19,95 €", {"color": "string",
         "talla": "string", "precio": "number"}, {"color": "rojo", "talla": "L", "precio": 19.95}),
        ("Was 20, now 15. Light.", {"price": "number", "list_price": "number"},
         {"price": 15.0, "list_price": 20.0}),
        ("Rebajado de 80 a 60 euros", {"precio": "number"}, {"precio": 60.0}),
        ("This jacket is not red, it is blue.", {"color": "string"}, {"color": "blue"}),
        ("No es negro ni blanco: es azul marino.", {"color": "string"}, {"color": "azul marino"}),
        ("Nurse, born in Seville, lives in Madrid.", {"city": "string"}, {"city": "Madrid"}),
        ("Trip from Madrid to Lisbon", {"origin": "string", "destination": "string"},
         {"origin": "Madrid", "destination": "Lisbon"}),
        ("Founded in 1987 in Chicago, renovated in 2015.", {"founded": "int", "city": "string"},
         {"founded": 1987, "city": "Chicago"}),
        ("Light shoe by Salomon in dark grey", {"brand": "string", "color": "string"},
         {"brand": "Salomon", "color": "dark grey"}),
        ("Piso de 85 m2 con 3 habitaciones en Valencia", {"ciudad": "string", "m2": "int",
         "habitaciones": "int"}, {"ciudad": "Valencia", "m2": 85, "habitaciones": 3}),
        ("1.5 kg of flour", {"weight_g": "int"}, {"weight_g": 1500}),
        ("Reunión el 3 de junio de 2024", {"fecha": "date"}, {"fecha": "2024-06-03"}),
        ("Colour: dark green. Size: 42.", {"colour": "string", "size": "string"},
         {"colour": "dark green", "size": "42"}),
        ("Write to ana@acme.com or +34 612 345 678", {"email": "string", "phone": "string"},
         {"email": "ana@acme.com", "phone": "+34 612 345 678"}),
        ("Order ORD-20444 arrived broken", {"order_id": "ORD-10432"}, {"order_id": "ORD-20444"}),
    ],
)  # fmt: skip
async def test_what_a_text_states_fills_the_missing_fields(text, wanted, stated):
    row, read = await filled({"description": text}, wanted)
    assert {key: row[key] for key in stated} == stated
    assert read == dict.fromkeys(stated, "description")


@pytest.mark.parametrize(
    ("text", "field", "kind"),
    [
        ("not red", "color", "string"), ("Available in red, blue and green.", "color", "string"),
        ("Is it red? Ask the seller.", "color", "string"),
        ("If you want red, tell us", "color", "string"),
        ("Used to be red, once", "color", "string"), ("A gift for Mr. Brown", "color", "string"),
        ("Green tea from Japan", "color", "string"),
        ("We have offices in Madrid and Barcelona.", "city", "string"),
        ("Factory near Milan", "city", "string"), ("Paris Hilton came by", "city", "string"),
        ("Costs between 20 and 30 dollars", "price", "number"),
        ("Free shipping on orders over $50", "price", "number"),
        ("Colour: not red", "color", "string"), ("Color: red or blue", "color", "string"),
        ("Size: S, M or L", "size", "string"), ("Brand: unknown", "brand", "string"),
        ("city: Madrid / Barcelona", "city", "string"),
        ("Deposit of 200 € required", "price", "number"), ("Save $10 today!", "price", "number"),
        ("It costs $14.90 at noon", "price", "int"),
        ("The 2000 W heater has 3 levels", "year", "int"),
        ("Used car from 2012, originally sold in 2013", "year", "int"),
        ("Meeting on 03/04/2024", "date", "date"), ("Oak table, 3 chairs", "quantity", "int"),
    ],
)  # fmt: skip
async def test_what_a_text_does_not_state_is_not_read(text, field, kind):
    row, read = await filled({"description": text}, {field: kind})
    assert row[field] is not None
    assert read == {}


async def test_a_text_never_goes_over_a_given_value():
    record = {"description": "Red shirt, 15 EUR", "color": "blue", "price": None}
    row, read = await filled(record, {"color": "string", "price": "number"})
    assert row == record
    assert read == {}


async def test_what_follows_from_a_read_value_agrees_with_it():
    row, read = await filled(
        {"notes": "The customer lives in Osaka."}, {"city": "string", "country": "string"}
    )
    assert (row["city"], row["country"], list(read)) == ("Osaka", "Japan", ["city"])


@pytest.mark.parametrize("kind", ["string", "red|blue"])
async def test_what_a_text_denies_is_not_made(kind):
    for text in ("This one is not red", "Anything but red"):
        for seed in range(12):
            row, _ = await filled({"notes": text}, {"color": kind}, seed=seed)
            assert row["color"] != "red"


async def test_lines_read_their_own_texts():
    lines = [{"description": "A red cap"}, {"description": "A cap"}]
    shape = {"lines": [{"description": "string", "color": "string"}]}
    row, read = await filled({"lines": lines}, {}, shape=shape)
    assert row["lines"][0]["color"] == "red"
    assert read == {"lines.0.color": "description"}
