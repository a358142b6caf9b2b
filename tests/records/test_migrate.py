"""Migrating records: every field has a reason, every line an end, and what is open is asked."""

import orjson
import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.records.migrating.applying import migrated
from router.records.migrating.grouping import gathered
from router.records.migrating.mapping import BadMapping, as_json, from_json
from router.records.migrating.matching import mapping_for
from router.records.migrating.numbers import number
from router.records.migrating.unfit import Unfit


def schema(**properties):
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


BOOL = {"type": "boolean"}
TEXT, NUMBER, DATE = {"type": "string"}, {"type": "number"}, {"type": "string", "format": "date"}


def records_of(source, target):
    """What the mapping of these records makes of each of them; nothing may be open."""
    mapping = mapping_for(source, target)
    assert [rule.question for rule in mapping.questions] == []
    # The program that is kept does what the mapping does.
    mapping = from_json(orjson.loads(orjson.dumps(as_json(mapping))))
    return [migrated(mapping, record).record for record in source]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (
            [{"cust_nm": "Ana Vidal", "qty": "1.200", "amt": "1.234,50 €", "dob": "25/03/1990"}],
            schema(customerName=TEXT, quantity={"type": "integer"}, amount=NUMBER, birthDate=DATE),
            [
                {
                    "customerName": "Ana Vidal", "quantity": 1200, "amount": 1234.5,
                    "birthDate": "1990-03-25",
                }
            ],
        ),
        (
            [{"nombre": "Eva", "apellidos": "Gil Soto", "estado": "de baja", "tel": "655 010 203"}],
            schema(
                fullName=TEXT, active={"type": "boolean"},
                phone={"type": "string", "pattern": r"^\+34\d{9}$"},
            ),
            [{"fullName": "Eva Gil Soto", "active": False, "phone": "+34655010203"}],
        ),
        (
            [{"lvl": "crit"}, {"lvl": "wrn"}, {"lvl": "nonsense"}],
            schema(level={"enum": ["info", "warning", "critical"]}),
            [{"level": "critical"}, {"level": "warning"}, None],
        ),
        (
            [{"weight": "2.5 kg"}, {"weight": "300 g"}, {"weight": "heavy"}],
            schema(weight_g=NUMBER),
            None,
        ),
        (
            [{"items": [{"sku": "A", "cant": "2"}]}],
            schema(
                lines={
                    "type": "array", "items": schema(sku=TEXT, quantity={"type": "integer"}),
                }
            ),
            [{"lines": [{"sku": "A", "quantity": 2}]}],
        ),
        (
            [
                {"street": "Sol 5", "city": "Lugo", "zip": "27001", "day": "5 May 24", "t": "9 pm"}
            ],
            schema(address=TEXT, startsAt={"type": "string", "format": "date-time"}),
            [{"address": "Sol 5, 27001, Lugo", "startsAt": "2024-05-05T21:00:00Z"}],
        ),
        (
            [{"contact": "Ann Lee <ann@x.org>", "temp": "12,5 \u00baC", "disponible": "agotado"}],
            schema(
                name=TEXT, email={"type": "string", "format": "email"}, temperature=NUMBER,
                available={"type": "boolean"},
            ),
            [{"name": "Ann Lee", "email": "ann@x.org", "temperature": 12.5, "available": False}],
        ),
    ],
)  # fmt: skip
def test_fields_are_renamed_converted_split_joined_and_nested(source, target, expected):
    if expected is None:
        mapping = mapping_for(source, target)
        made = [migrated(mapping, record) for record in source]
        assert [m.record for m in made] == [{"weight_g": 2500}, {"weight_g": 300}, None]
        assert made[2].reasons == ("weight_g: 'heavy' is no number",)
    else:
        assert records_of(source, target) == expected


@pytest.mark.parametrize(
    ("source", "target", "question", "choices"),
    [
        ([{"date": "03/04/2024"}], schema(date=DATE), "day first or the month first", 2),
        ([{"prio": 1}, {"prio": 3}], schema(priority={"enum": ["low", "mid", "high"]}), "mean", 2),
        ([{"weight": 3}], schema(weightG=NUMBER), "In which unit is weight?", 4),
        ([{"size": "1,234"}], schema(size=NUMBER), "thousands or decimals", 2),
        ([{"price_usd": 3}], schema(price_eur=NUMBER), "is in USD, and price_eur in EUR", 1),
        (
            [{"k": "a", "home_phone": "555 01 01", "work_phone": "555 01 02"}],
            schema(k=TEXT, phone=TEXT), "Which field is phone: home_phone or work_phone?", 2,
        ),
        ([{"c": "a", "state": 1}, {"c": "b", "state": 0}], schema(c=TEXT, open=BOOL), "Does 1", 2),
        ([{"precio": "12,10", "iva_incluido": "S"}], schema(net=NUMBER), "Is precio net?", 1),
    ],
)  # fmt: skip
def test_what_records_leave_open_is_asked(source, target, question, choices):
    rules = mapping_for(source, target).questions
    assert len(rules) == 1
    assert question in rules[0].question
    assert len(rules[0].choices) == choices


def test_a_required_field_that_nothing_fills_is_named_and_never_guessed():
    mapping = mapping_for([{"a": "x"}], schema(shoes=TEXT, a=TEXT))
    assert (mapping.questions, [rule.name for rule in mapping.unfilled]) == ([], ["shoes"])
    again = from_json(orjson.loads(orjson.dumps(as_json(mapping))))
    assert again == mapping
    reasons = migrated(again, {"a": "x"}).reasons
    assert reasons == ("shoes: it must be there, and no field gives it",)


def test_a_field_of_the_same_name_is_read_though_no_value_fits_so_that_records_say_why():
    rows = [{"a": "x", "on": "soon"}, {"a": "y", "on": "later"}]
    made = migrated(mapping_for(rows, schema(a=TEXT, on=DATE)), rows[0])
    assert made.reasons == ("on: 'soon' is no date",)


def test_other_dates_of_the_source_decide_which_number_is_the_month():
    rows = [
        {"sent": "13/04/2024", "due": "02/05/2024"},
        {"sent": "01/04/2024", "due": "03/04/2024"},
    ]
    assert records_of(rows, schema(sent=DATE, due=DATE))[1] == {
        "sent": "2024-04-01", "due": "2024-04-03",
    }  # fmt: skip


def test_pay_by_the_month_is_not_taken_for_pay_by_the_year():
    rows = [
        {"job": "Chef", "salario": "1.100 \u20ac/mes"},
        {"job": "Cook", "salario": "900 \u20ac/mes"},
    ]
    assert records_of(rows, schema(job=TEXT, monthlySalary=NUMBER))[0]["monthlySalary"] == 1100
    mapping = mapping_for(rows, schema(job=TEXT, annualSalary=NUMBER))
    assert migrated(mapping, rows[0]).record is None


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (
            [{"seen": "45292", "score": "4/5 stars"}, {"seen": "45351.5", "score": "2/5 stars"}],
            schema(seen=DATE, score={"type": "integer", "maximum": 5}),
            [{"seen": "2024-01-01", "score": 4}, {"seen": "2024-02-29", "score": 2}],
        ),
        (
            [{"hotel": "Sol", "class": "\u2605\u2605\u2606", "guests": "8,5 de 10"}],
            schema(hotel=TEXT, **{"class": NUMBER}, guests={"type": "number", "maximum": 5}),
            [{"hotel": "Sol", "class": 2, "guests": 4.25}],
        ),
        (
            [{"track": "Gulls", "len": "3:45", "out": "Mar 2019"},
             {"track": "Fog Horn", "len": "1:02:10"}],
            schema(title=TEXT, seconds={"type": "integer"})
            | {"properties": {
                "title": TEXT, "seconds": {"type": "integer"}, "month": {"type": "integer"},
            }},
            [{"title": "Gulls", "seconds": 225, "month": 3},
             {"title": "Fog Horn", "seconds": 3730}],
        ),
        (
            [{"guest": "Ann", "arrival": "14.07.2024", "nights": "2", "board": "HB"},
             {"guest": "Bo", "arrival": "28.02.2024", "nights": "1", "board": "FB"}],
            schema(guest=TEXT, checkIn=DATE, checkOut=DATE, board={"enum": ["half", "full"]}),
            [{"guest": "Ann", "checkIn": "2024-07-14", "checkOut": "2024-07-16", "board": "half"},
             {"guest": "Bo", "checkIn": "2024-02-28", "checkOut": "2024-02-29", "board": "full"}],
        ),
        (
            [{"km": "64.200 km", "due": "05/2025"}, {"km": "131.000 km", "due": "13/2025"}],
            schema(km={"type": "integer"}, month={"type": "string", "pattern": r"^\d{4}-\d\d$"}),
            [{"km": 64200, "month": "2025-05"}, None],
        ),
        (
            [{"temp": "59F", "when": "2024-03-01 06:00", "batt_mv": 3700},
             {"temp": "-5C", "batt_mv": 90}],
            {"properties": {
                "celsius": NUMBER, "date": DATE, "batteryVolts": NUMBER,
                "time": {"type": "string", "pattern": r"^\d\d:\d\d$"},
            }, "required": ["celsius", "batteryVolts"]},
            [{"celsius": 15, "date": "2024-03-01", "time": "06:00", "batteryVolts": 3.7},
             {"celsius": -5, "batteryVolts": 0.09}],
        ),
        (
            [{"line": "Hotel", "amount": "$1,250.00", "cur": "USD"},
             {"line": "Lunch", "amount": "\u20ac22,50", "cur": "EUR"},
             {"line": "Gift", "amount": "\u20ac1.250", "cur": "EUR"}],
            schema(what=TEXT, value=NUMBER, currency={"enum": ["USD", "EUR"]}),
            [{"what": "Hotel", "value": 1250, "currency": "USD"},
             {"what": "Lunch", "value": 22.5, "currency": "EUR"}, None],
        ),
        (
            [{"id": 1, "n": None, "m": "", "lang": ""},
             {"id": 2, "n": "x", "m": None, "lang": "es"}],
            {"properties": {
                "id": {"type": "integer"}, "n": TEXT, "m": {"type": ["string", "null"]},
                "lang": {"type": "string", "default": "en", "minLength": 2},
            }, "required": ["id", "m", "lang"]},
            [{"id": 1, "m": None, "lang": "en"}, {"id": 2, "n": "x", "m": None, "lang": "es"}],
        ),
    ],
)  # fmt: skip
def test_values_of_many_forms_are_read(source, target, expected):
    assert records_of(source, target) == expected


def test_surnames_that_stand_first_are_seen_or_asked_about():
    target = schema(first=TEXT, last=TEXT)
    rows = [{"name": "Garc\u00eda L\u00f3pez Mar\u00eda"}, {"name": "Vidal Gil Carmen"}]
    assert records_of(rows, target)[0] == {"first": "Mar\u00eda", "last": "Garc\u00eda L\u00f3pez"}
    questions = mapping_for([*rows, {"name": "Mart\u00edn Alonso"}], target).questions
    assert [list(rule.choices) for rule in questions] == [["surname first", "first name first"]] * 2


def test_a_record_decides_for_the_others_which_number_is_the_month():
    rows = [{"on": "03/04/2024"}, {"on": "03/25/2024"}, {"on": "30/02/2024"}]
    mapping = mapping_for(rows, schema(on=DATE))
    made = [migrated(mapping, row) for row in rows]
    assert [m.record for m in made] == [{"on": "2024-03-04"}, {"on": "2024-03-25"}, None]
    assert made[2].reasons == ("on: '30/02/2024' is no date as month/day/year",)


def test_an_optional_value_that_cannot_be_read_is_left_out_with_a_warning():
    target = schema(id=TEXT) | {"properties": {"id": TEXT, "born": DATE}}
    rows = [{"id": "a", "born": "1990-01-02"}, {"id": "b", "born": "in May"}]
    made = migrated(mapping_for(rows, target), rows[1])
    assert made.record == {"id": "b"}
    assert made.warnings == ("born: 'in May' is no date; the field is left out",)


@pytest.mark.parametrize(
    "text", ["approx 5", "1.2.3", "5-6", "12 apples", "1,23,456", "", "c. 2015"]
)
def test_a_text_that_is_no_certain_number_is_refused(text):
    with pytest.raises(Unfit):
        number(text)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"to": "a"}, "needs `from` or `value`"),
        ({"to": "a", "from": ["b"], "do": [{"step": "eval"}]}, "step = 'eval'"),
        ({"to": "a", "from": ["b"], "do": [{"step": "date", "ordre": "x"}]}, "ordre = 'x'"),
        ({"to": "a", "from": ["b"], "wen": 1}, "`wen` is none of"),
    ],
)
def test_an_edited_mapping_that_is_wrong_is_refused_by_name(entry, wrong):
    with pytest.raises(BadMapping, match=wrong):
        from_json({"version": 1, "fields": [entry], "schema": {}})


def test_the_command_keeps_a_mapping_that_the_next_file_is_migrated_by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text('{"id": 1, "on": "03/04/2024", "x": 2}\n{"id": 2, oops\n')
    long_id = 12345678901234567890123
    line = f'{{"id": {long_id}, "on": "05/06/2024", "new": 2}}\n'
    (tmp_path / "next.jsonl").write_text(line)
    (tmp_path / "schema.json").write_bytes(orjson.dumps(schema(id={"type": "integer"}, on=DATE)))

    def waggle(*arguments):
        return CliRunner().invoke(app, ["migrate", *arguments])

    refused = waggle("in.jsonl", "--to", "schema.json")
    assert refused.exit_code == 2
    assert '--answer "on=day/month/year"' in refused.stderr
    done = waggle("in.jsonl", "--to", "schema.json", "--answer", "on=day/month/year")
    assert done.exit_code == 1  # a line has failed
    folder = tmp_path / "in-migrated"
    assert (folder / "migrated.jsonl").read_text() == '{"id":1,"on":"2024-04-03"}\n'
    failed = orjson.loads((folder / "failed.jsonl").read_bytes())
    assert (failed["line"], failed["record"]) == (2, '{"id": 2, oops')
    assert "goes nowhere" in (folder / "warnings.jsonl").read_text()
    again = waggle("next.jsonl", "--by", "in-migrated/mapping.json", "--json")
    assert again.exit_code == 0
    assert orjson.loads(again.stdout)["unmapped"] == ["x", "new"]
    migrated_lines = (tmp_path / "next-migrated/migrated.jsonl").read_text()
    assert migrated_lines == f'{{"id":{long_id},"on":"2024-06-05"}}\n'


def test_a_table_is_read_and_its_rows_are_gathered_by_what_they_share(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = (
        "order;customer;sku;qty\r\nO1;Mu\u00f1oz;A;2\r\nO2;Bo;A;5\r\nO3;Cy\r\nO1;Mu\u00f1oz;B;1\r\n"
    )
    (tmp_path / "in.csv").write_bytes(rows.encode("cp1252"))
    line = {"type": "array", "items": schema(sku=TEXT, quantity={"type": "integer"})}
    target = schema(order=TEXT, customer=TEXT, items=line)
    (tmp_path / "schema.json").write_bytes(orjson.dumps(target))
    done = CliRunner().invoke(app, ["migrate", "in.csv", "--to", "schema.json", "--json"])
    figures = orjson.loads(done.stdout)
    assert (figures["migrated"], figures["failed"]) == (2, 1)
    folder = tmp_path / "in-migrated"
    first, second = map(orjson.loads, (folder / "migrated.jsonl").read_bytes().splitlines())
    assert first == {
        "order": "O1", "customer": "Mu\u00f1oz",
        "items": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}],
    }  # fmt: skip
    assert second["items"] == [{"sku": "A", "quantity": 5}]
    failed = orjson.loads((folder / "failed.jsonl").read_bytes())
    assert (failed["line"], failed["record"]) == (4, ["O3", "Cy"])
    assert orjson.loads((folder / "mapping.json").read_bytes())["group_by"] == ["order"]


def test_records_of_a_group_that_disagree_fail_together():
    line = {"type": "array", "items": schema(sku=TEXT)}
    rows = [{"order": f"O{n // 2}", "customer": "Ann", "sku": f"S{n}"} for n in range(40)]
    mapping = mapping_for(rows, schema(order=TEXT, customer=TEXT, items=line))
    assert mapping.group_by == (("order",),)
    made = gathered(mapping, [rows[0], rows[1] | {"customer": "Bo"}])
    assert made.record is None
    assert made.reasons == ("customer: the records of the group hold 'Ann' and 'Bo'",)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("in.csv", "", "has no header"),
        ("in.csv", "a,b,a\n1,2,3\n", "two fields of its header are named 'a'"),
        ("in.csv", 'a,b\n1,"2\n', "line 2: this row cannot be read"),
        ("in.jsonl", '[{"a": 1}]', "it is a JSON array"),
        ("in.jsonl", "\n", "write a JSON object on each line"),
    ],
)
def test_a_file_without_records_is_refused_with_the_mend(tmp_path, name, text, wrong):
    source, target = tmp_path / name, tmp_path / "schema.json"
    source.write_text(text)
    target.write_bytes(orjson.dumps(schema(a=TEXT)))
    refused = CliRunner().invoke(app, ["migrate", str(source), "--to", str(target)])
    assert refused.exit_code == 2
    assert wrong in " ".join(refused.stderr.split())
