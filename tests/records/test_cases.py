"""Cases for a schema: each label is proven, and each invalid case names the rule that it breaks."""

import asyncio

import orjson
import pytest

from router.backends.generator_backend import GeneratorBackend
from router.config.backends import GeneratorSettings
from router.domain import CHAT, Call, Fault
from router.records.checking import Wanted, issues_in

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^ORD-\\d{5}$"},
        "age": {"type": "integer", "minimum": 18, "maximum": 65},
        "kind": {"enum": ["book", "shoe"]},
        "born": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "step": {"type": "integer", "multipleOf": 5, "minimum": 0, "maximum": 50},
    },
    "required": ["id", "age"],
    "additionalProperties": False,
    "if": {"properties": {"kind": {"const": "book"}}},
    "then": {"required": ["born"]},
}


def cases(schema, **counts):
    backend = GeneratorBackend(GeneratorSettings(kind="generator"))
    fields = {"messages": [], "shape": schema, "cases": counts, "seed": 1}

    async def answer():
        async with backend.send(Call(CHAT, orjson.dumps(fields), False, "r")) as reply:
            return orjson.loads(b"".join([piece async for piece in reply.body]))

    return orjson.loads(asyncio.run(answer())["choices"][0]["message"]["content"])


def test_every_label_is_what_the_validator_says():
    made = cases(SCHEMA, valid=5, edge=12, invalid=20)
    labels = [case["label"] for case in made["cases"]]
    assert [labels.count(label) for label in ("valid", "edge", "invalid")] == [5, 12, 20]
    for case in made["cases"]:
        issues = issues_in([case["record"]], Wanted(SCHEMA), as_list=False)
        assert bool(issues) == (case["label"] == "invalid"), case
        if issues:
            assert any(issue.keyword in case["breaks"] for issue in issues)
    broken = {case["breaks"].split(": ")[1].split(" ")[0] for case in made["cases"][-20:]}
    wanted = {"required", "type", "minimum", "maximum", "enum", "format", "pattern", "multipleOf"}
    assert wanted <= broken
    assert any(case.get("edge") == "$.age: minimum 18" for case in made["cases"])


@pytest.mark.parametrize("schema", [{}, {"title": "Free note"}])
def test_a_schema_that_allows_everything_says_so(schema):
    made = cases(schema, invalid=3)
    assert made["cases"] == []
    assert made["notes"] == ["no invalid case exists: this schema allows every value"]


def test_cases_that_cannot_be_made_are_refused_by_name():
    with pytest.raises(Fault, match="no valid record was made"):
        cases({"type": "object", "properties": {"a": {"type": "integer"}}, "not": {}}, valid=1)
    with pytest.raises(Fault, match="must be counts of valid, edge, invalid"):
        cases(SCHEMA, good=1)
