"""Made records: values like the examples, concepts of unknown names, entities that agree."""

import datetime as dt

import pytest
from faker import Faker

from router.records.catalogue.naming import named
from router.records.enriching.filler import enriched
from router.records.enriching.identity import cif, dni
from router.records.enriching.making import AS_OF, RecordMaker
from router.records.likeness.numbers import magnitude_of
from router.records.likeness.relations import relations_in
from router.records.planning import planned
from router.records.shapes import parse

FAKE = Faker("en_US")


def made(shape, count=12, seed=1, **beside):
    node = parse(shape).node
    maker = RecordMaker(planned(node, **beside), FAKE, seed, AS_OF)
    return [maker.make(node, index) for index in range(count)]


@pytest.mark.parametrize(
    ("examples", "concept", "least", "most"),
    [
        ([2015], "", 2000, 2026),
        ([0.28], "", 0, 1),
        ([3], "", 1, 10),
        ([3], "rating", 1, 5),
        ([42], "percentage", 0, 100),
        ([51.5], "latitude", 50, 53),
        ([-3.5, 12.0], "temperature", -20, 30),
    ],
)
def test_an_example_says_where_numbers_lie(examples, concept, least, most):
    magnitude = magnitude_of(examples, concept)
    assert least <= magnitude.least < magnitude.most <= most


def test_values_have_the_form_of_the_examples():
    shape = {
        "orderId": "ORD-0041", "price": "19,99 €", "f_nac": "14/06/1987", "prep": "25 min",
        "Opt-in?": "Y", "telefono": "612 345 678", "due_q": "Q3 2024", "at": "2024-05-02T09:14:00Z",
    }  # fmt: skip
    rows = made(shape)
    assert [row["orderId"] for row in rows[:2]] == ["ORD-0042", "ORD-0043"]
    for row in rows:
        assert row["price"].endswith(" €")
        assert row["price"][-5] == ","
        assert 1970 < int(row["f_nac"][6:]) < 2005
        assert row["prep"].endswith(" min")
        assert row["Opt-in?"] in ("Y", "N")
        assert row["telefono"].startswith("6")
        assert len(row["telefono"]) == 11
        assert row["due_q"][0] == "Q"
        assert dt.datetime.fromisoformat(row["at"]).year in (2023, 2024)


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("handle", "username"), ("purchaser_mail", "email"), ("fecha_de_alta", "created"),
        ("shippingCity", "city"), ("cod_postal", "postcode"), ("Phone No.", "phone"),
        ("nombre_cliente", "name"), ("dur_min", "duration"), ("wing_name", ""),
        ("qty", "quantity"), ("amt", "amount"), ("dob", "birth_date"), ("addr", "address"),
        ("desc", "description"), ("lvl", "log_level"), ("cfg", "configuration"), ("tel", "phone"),
        ("nif", "national_id"), ("fnac", "birth_date"), ("f_nac", "birth_date"), ("fvto", "due"),
        ("cust_nm", "name"), ("ord_dt", "ordered"), ("inv_no", "invoice_number"),
        ("unit_prc", "unit_price"), ("cant", "quantity"), ("cod_cli", "customer_id"),
        ("f_ped", "ordered"), ("raz_soc", "company"), ("imp_total", "total"), ("date", "date"),
        ("custname", "name"), ("codpostal", "postcode"), ("m2", "area"),
    ],
)  # fmt: skip
def test_a_name_finds_its_concept(name, concept):
    assert named(name).concept == concept


def test_the_fields_of_a_record_are_about_the_same_things():
    shape = {
        "customerName": "string", "customerEmail": "string", "item": "string", "category": "string",
        "city": "string", "country": "string", "qty": 3, "unitPrice": 24.99, "total": 74.97,
        "starts": "2024-03-01", "ends": "2024-03-31", "manager": "string", "manager_email": "email",
    }  # fmt: skip
    products = {"Wooden Train Set": "Toys", "Oak Dining Table": "Furniture"}
    for row in made(shape, 40):
        for who in ("customer", "manager"):
            name = row["customerName"] if who == "customer" else row["manager"]
            email = row["customerEmail"] if who == "customer" else row["manager_email"]
            assert name.split()[-1].lower().replace("'", ".") in email
        assert row["total"] == pytest.approx(row["qty"] * row["unitPrice"], abs=0.01)
        assert row["starts"] <= row["ends"]
        assert products.get(row["item"], row["category"]) == row["category"]
        assert row["customerName"] != row["manager"]


def test_spanish_names_get_spanish_values():
    rows = made({"nombre": "string", "ciudad": "string", "prioridad": "string", "asunto": "string"})
    assert {row["prioridad"] for row in rows} <= {"baja", "media", "alta", "urgente"}
    assert all(row["ciudad"] not in ("Seville", "Malaga") for row in rows)


def test_relations_of_the_examples_hold_in_new_records():
    example = {"agree": 0.62, "disagree": 0.25, "dk": 0.13, "n": 1204}
    for row in made(example, examples=[example]):
        assert row["agree"] + row["disagree"] + row["dk"] == pytest.approx(1)
    lines = {"lines": [{"item": "Lamp", "qty": 2, "unit": 15.0}], "grandTotal": 30.0}
    for row in made(lines):
        total = sum(line["qty"] * line["unit"] for line in row["lines"])
        assert row["grandTotal"] == pytest.approx(total, abs=0.01)
    assert not relations_in([{"a": 2, "b": 3, "c": 6}], {"a": "", "b": "", "c": ""})


def test_the_title_of_an_employee_is_a_job_and_of_a_ticket_a_trouble():
    person = planned(parse({"title": "string", "salary": "int", "last_name": "string"}).node)
    ticket = planned(parse({"title": "string", "priority": "string", "body": "string"}).node)
    (fields,) = (plan.fields for plan in person.objects.values())
    assert fields["title"].concept == "job"
    (fields,) = (plan.fields for plan in ticket.objects.values())
    assert fields["title"].concept == "ticket_title"


def test_a_field_stays_empty_where_the_examples_leave_it_so():
    examples = [
        {"status": "delivered", "shippedOn": "2024-03-04"},
        {"status": "pending", "shippedOn": None},
    ]
    node = parse({"status": "string", "shippedOn": "date"}).node
    plan = planned(node, examples=examples)
    day = dt.date(2026, 1, 1)
    rows = [{"status": "pending"}, {"status": "delivered"}]
    rows = enriched(rows, node, seed=1, fake=FAKE, as_of=day, plan=plan)
    assert [row["shippedOn"] is None for row in rows] == [True, False]


def test_what_follows_from_given_values_is_worked_out_and_they_stay_as_they_are():
    examples = [
        {"customer": "Ruth Feldman", "email": "ruth.feldman@mail.com", "hits": 280, "of": 10000,
         "ctr": 0.028, "method": "express"},
        {"customer": "Amir Haddad", "email": "amir.haddad@mail.com", "hits": 60, "of": 4000,
         "ctr": 0.015, "method": "standard"},
    ]  # fmt: skip
    shape = dict.fromkeys(("customer", "email", "method"), "string") | {
        "hits": "int", "of": "int", "ctr": "number",
    }  # fmt: skip
    node = parse(shape).node
    given = {"customer": "marcus  BELL", "hits": 560, "of": 20000}
    plan = planned(node, examples=examples)
    (row,) = enriched([given], node, seed=3, fake=FAKE, as_of=AS_OF, plan=plan)
    assert {name: row[name] for name in given} == given
    assert row["email"] == "marcus.bell@mail.com"
    assert row["ctr"] == 0.028
    assert row["method"] in ("express", "standard", "economy", "next day", "store pickup")


def test_check_digits_are_right():
    assert dni(12345678) == "12345678Z"
    assert cif("A", 5881850) == "A58818501"
