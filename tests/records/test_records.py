"""Records: issues name their path, repairs invent nothing, new values agree with given values."""

import copy
import datetime as dt

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from router.records.checking import BadSchema, Wanted, issues_in
from router.records.enriching.filler import enriched
from router.records.enriching.place_table import PLACES
from router.records.repairing import repaired
from router.records.schema import schema_of
from router.records.shape_fields import anchors_of
from router.records.shapes import parse
from tests.sparing import draws

SCHEMA = {
    "type": "object",
    "required": ["email", "age", "level"],
    "additionalProperties": False,
    "properties": {
        "email": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0},
        "level": {"enum": ["low", "high"]},
        "born": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "site": {"type": "string", "format": "uri"},
        "id": {"type": "string", "format": "uuid"},
        "active": {"type": "boolean", "default": True},
    },
}
GOOD = {"email": "a@b.org", "age": 3, "level": "low"}


def places(record, schema=SCHEMA, rules=()):
    return {(i.path, i.keyword) for i in issues_in([record], Wanted(schema, tuple(rules)))}


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"email": "nobody"}, ("$[0].email", "format")),
        ({"age": "3"}, ("$[0].age", "type")),
        ({"age": -1}, ("$[0].age", "minimum")),
        ({"age": True}, ("$[0].age", "type")),
        ({"level": "mid"}, ("$[0].level", "enum")),
        ({"born": "2026-02-30"}, ("$[0].born", "format")),
        ({"tags": ["x", 3]}, ("$[0].tags[1]", "type")),
        ({"site": "no site"}, ("$[0].site", "format")),
        ({"odd name": 1}, ("$[0]", "additionalProperties")),
    ],
)
def test_an_issue_names_its_path(change, issue):
    assert places(GOOD | change) == {issue}


def test_all_issues_are_reported_and_each_has_a_rule_and_a_mend():
    records = [GOOD, {"age": "x"}, "nothing", GOOD]
    issues = issues_in(records, Wanted(SCHEMA, ("age >= 0",)))
    assert {issue.at[0] for issue in issues} == {1, 2}
    assert len(issues) >= 4
    assert all(issue.rule and issue.mend for issue in issues)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "wrong"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "#/nowhere"},
        {"type": "string", "pattern": "("},
        {"type": "object", "patternProperties": {"(a+)+$": {}}},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_and_nothing_is_fetched(schema):
    with pytest.raises(BadSchema):
        issues_in(["x"], Wanted(schema))


@pytest.mark.parametrize(
    ("given_", "mended"),
    [
        ({"age": "42"}, {"age": 42}),
        ({"age": "1,234"}, {"age": 1234}),
        ({"age": 42.0}, {"age": 42}),
        ({"level": "HIGH"}, {"level": "high"}),
        ({"level": "hihg"}, {"level": "hihg"}),
        ({"level": "lo w"}, {"level": "low"}),
        ({"email": " a@b.org "}, {"email": "a@b.org"}),
        ({"email": "a (at) b.org"}, {"email": "a@b.org"}),
        ({"born": "2020/01/31"}, {"born": "2020-01-31"}),
        ({"born": "January 31st, 2020"}, {"born": "2020-01-31"}),
        ({"born": "03/04/2020"}, {"born": "03/04/2020"}),  # the month could be either number
        ({"site": "example.org/x"}, {"site": "https://example.org/x"}),
        ({"tags": "one"}, {"tags": ["one"]}),
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"active": "yes"}, {"active": True}),
        ({"id": "{123E4567E89B12D3A456426614174000}"},
         {"id": "123e4567-e89b-12d3-a456-426614174000"}),
        ({"odd": 1}, {}),
        ({"age": -1}, {"age": -1}),  # a repair would invent an age
    ],
)  # fmt: skip
def test_a_clear_mistake_is_mended_and_nothing_is_invented(given_, mended):
    record = GOOD | given_
    before = copy.deepcopy(record)
    made = repaired([record], Wanted(SCHEMA))
    assert record == before
    assert made.records == [GOOD | mended]
    assert bool(made.issues) == bool(places(GOOD | mended))


def test_a_key_in_another_spelling_is_renamed_and_a_sum_is_computed():
    schema = {**SCHEMA, "additionalProperties": True}
    record = {"E-Mail": "a@b.org", "Age": "7", "level": "low", "n": [1, 2], "total": 9}
    made = repaired([record], Wanted(schema, ("total == sum(n)",)))
    assert not made.issues
    assert made.records[0] == {
        "email": "a@b.org",
        "age": 7,
        "level": "low",
        "n": [1, 2],
        "total": 3,
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "x"]), _JSON), max_size=3))
@draws(60)
def test_repairing_any_records_never_makes_more_issues(records):
    wanted = Wanted(SCHEMA, ("age >= 0",))
    before = len(issues_in(records, wanted))
    made = repaired(records, wanted)
    assert len(made.issues) <= before
    assert made.issues == issues_in(made.records, wanted)


# -- enriching ----------------------------------------------------------------------------------

SHAPE = {
    "name": "string", "email": "email", "username": "string", "city": "string", "state": "string",
    "country": "string", "country_code": "string", "zip": "string", "phone": "phone",
    "currency": "string", "birth_date": "date", "age": "int 18..90", "price": "number",
    "msrp": "number", "discount_pct": "number", "quantity": "int 1..9", "subtotal": "number",
    "tax": "number", "total": "number", "created_at": "datetime", "updated_at": "datetime",
    "start_date": "date", "end_date": "date", "company": "string", "website": "url",
}  # fmt: skip
DAY = dt.date(2026, 11, 21)
FAKE = Faker("en_US")


def fill(record, shape=SHAPE, seed=1):
    return enriched([record], parse(shape).node, seed=seed, fake=FAKE, as_of=DAY)[0]


def consistent(r):
    born = dt.date.fromisoformat(r["birth_date"][:10])
    assert r["age"] == DAY.year - born.year - ((DAY.month, DAY.day) < (born.month, born.day))
    assert r["price"] <= r["msrp"]
    assert r["subtotal"] == pytest.approx(r["quantity"] * r["price"], abs=0.01)
    assert r["total"] == pytest.approx(r["subtotal"] + r["tax"], abs=0.01)
    assert r["created_at"] <= r["updated_at"]
    assert r["start_date"] <= r["end_date"]
    (place,) = [p for p in PLACES if p.city == r["city"]]
    assert (r["country"], r["country_code"]) == (place.country, place.country_code)
    assert (r["state"], r["currency"]) == (place.region, place.currency)
    assert r["phone"].startswith(f"+{place.dial_code} ")
    assert not issues_in([r], Wanted(schema_of(SHAPE)))


@given(st.integers(0, 2**40), st.sets(st.sampled_from(list(SHAPE)), max_size=8))
@draws(60)
def test_new_values_agree_with_the_given_ones_and_are_the_same_each_time(seed, names):
    whole = fill({}, seed=seed)
    consistent(whole)
    some = {name: whole[name] for name in SHAPE if name in names}
    made = fill(some, seed=seed + 1)
    assert {name: made[name] for name in some} == some
    consistent(made)
    assert fill(some, seed=seed + 1) == made


def test_a_price_behind_a_rounded_discount_still_gives_the_sum():
    made = fill({"msrp": 427.17, "discount_pct": 22.86, "subtotal": 1647.5})
    assert made["quantity"] * made["price"] == pytest.approx(1647.5, abs=0.005)
    assert round(100 * (1 - made["price"] / 427.17), 2) == 22.86


@pytest.mark.parametrize(
    ("given_", "then"),
    [
        ({"city": "Paris"}, {"country": "France", "currency": "EUR"}),
        ({"country": "Japan"}, {"country_code": "JP", "currency": "JPY"}),
        ({"country_code": "DE"}, {"country": "Germany"}),
        ({"phone": "+44 20 7946 0000"}, {"country": "United Kingdom", "city": "London"}),
        ({"city": "Toulouse"}, {"country": "France"}),  # the atlas knows the country
        ({"city": "Reykjavik"}, {"country_code": "IS"}),
        ({"country": "USA"}, {"country_code": "US"}),
        ({"age": 40}, {"age": 40}),
        ({"price": 10.0, "msrp": 20.0}, {"discount_pct": 50.0}),
        ({"name": "Åsa Öberg"}, {"name": "Åsa Öberg"}),
    ],
)
def test_a_value_that_follows_from_the_record_is_worked_out(given_, then):
    made = fill(given_)
    assert {name: made[name] for name in then} == then


def test_a_given_value_is_never_altered_even_if_it_is_wrong_or_null():
    given_ = {"city": "Paris", "country": "Japan", "age": None, "price": 900, "msrp": 1, "x": [1]}
    made = fill(given_)
    assert {name: made[name] for name in given_} == given_
    assert list(made)[:3] == ["name", "email", "username"]


def test_a_record_inside_a_record_is_filled_and_shares_its_place():
    shape = {
        "city": "string",
        "address": {"city": "string", "country": "string"},
        "items": [{"quantity": "int 1..3", "unit_price": "number 1..9", "total": "number"}],
    }
    made = fill({"city": "Oslo", "items": [{"quantity": 2}]}, shape)
    assert made["address"] == {"city": "Oslo", "country": "Norway"}
    (item,) = made["items"]
    assert item["total"] == pytest.approx(item["quantity"] * item["unit_price"], abs=0.01)


def test_a_new_value_never_breaks_the_shape():
    shape = {
        "country": "Germany|France",
        "city": "string",
        "age": "int 30..31",
        "birth_date": "date",
    }
    for seed in range(20):
        made = fill({}, shape, seed)
        assert made["country"] in ("Germany", "France")
        assert made["age"] in (30, 31)
        assert {p.country for p in PLACES if p.city == made["city"]} == {made["country"]}


def test_the_anchors_are_the_fields_that_the_others_follow_from():
    assert anchors_of(SHAPE) == (
        *("name", "birth_date", "msrp", "quantity", "created_at", "start_date", "company"),
    )
    assert anchors_of([{"id": "int", "country": "string", "phone": "phone"}]) == ("id",)
    assert anchors_of([{"country": "string"}]) == ("country",)
    assert anchors_of({"type": "object", "properties": {"age": {}, "dob": {}}}) == ("dob",)
