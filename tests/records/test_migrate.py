"""Migrating records: every field has a reason, every line an end, and what is open is asked."""

import orjson
import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.records.migrating.applying import migrated
from router.records.migrating.mapping import BadMapping, as_json, from_json
from router.records.migrating.matching import mapping_for
from router.records.migrating.numbers import number
from router.records.migrating.unfit import Unfit


def schema(**properties):
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


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
        ([{"a": "x"}], schema(shoes=TEXT, a=TEXT), "No field of the source is shoes", 0),
    ],
)
def test_what_records_leave_open_is_asked(source, target, question, choices):
    rules = mapping_for(source, target).questions
    assert len(rules) == 1
    assert question in rules[0].question
    assert len(rules[0].choices) == choices


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
