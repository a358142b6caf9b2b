"""Turns pydantic's errors into mistakes, in the words of the configuration file."""

from collections.abc import Mapping
from typing import Any

from router.config.plans import LISTED, MEMBERS, NAMED, SEATED, TAGGED
from router.config.problems import Mistake, suggestion
from router.config.references import Location, is_secret
from router.config.values import HOST_PATTERN, NAME_PATTERN, NAME_RULE, TAG_PATTERN, TAG_RULE

_MEMBER = "a member is the name of a backend or plan, or it asks or computes by itself"
_STEP = "a step is the name of a backend or plan, or a plan of one pattern"
_PLAIN_RULES = {
    "dict_type": "this must be a mapping, `key: value`",
    "model_type": "this must be a mapping, `key: value`",
    "tuple_type": "this must be a list, `[a, b]`",
    "list_type": "this must be a list, `[a, b]`",
}


def mistake_of(error: Any, schema: Mapping[str, Any], patterns: Mapping[str, type]) -> Mistake:
    """The mistake behind a pydantic error: its place in the file, the broken rule and a remedy."""
    location: Location = tuple(error["loc"])
    at, value, context = _place(location), error.get("input"), error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            keys = _keys_at(location[:-1], schema, patterns)
            mend = suggestion(str(at[-1]), keys, f"Known here: {', '.join(keys)}.")
            return Mistake(at, value, "nothing reads this key", mend)
        case "missing":
            return Mistake(at, "(missing)", "this key must be there", f"Add `{at[-1]}:`.")
        case "union_tag_invalid" | "union_tag_not_found" if at[-2:-1] == ("members",):
            return Mistake(at, value, _MEMBER, "Give it one of these keys: `ask`, `code`.")
        case "union_tag_invalid" | "union_tag_not_found" if at[-2:-1] == ("critic",):
            rule = "a critic is the name of a backend, or a program: `{code: SANDBOX}`"
            return Mistake(at, value, rule, "Name a backend, or give it the key `code`.")
        case "union_tag_invalid" | "union_tag_not_found" if at[:1] == ("plans",):
            keys = [f"`{pattern}`" for pattern in patterns]
            return Mistake(at, value, _STEP, f"Give it one of these keys: {', '.join(keys)}.")
        case "union_tag_invalid" | "union_tag_not_found":
            kinds = ", ".join(f"`{kind}`" for kind in _kinds(schema))
            value = value.get("kind", "(missing)") if isinstance(value, dict) else value
            mend = f"`kind` must be one of {kinds}."
            return Mistake((*at, "kind"), value, "no such kind of backend", mend)
        case "string_pattern_mismatch" if is_secret(at):
            mend = "Write ${NAME} and set NAME in the environment."
            return Mistake(at, "(hidden)", "a secret may not be written here", mend)
        case "string_pattern_mismatch" if context.get("pattern") == HOST_PATTERN:
            rule = "it must be a host's name or address, without scheme and port"
            return Mistake(at, value, rule, "Write e.g. host.docker.internal.")
        case "string_pattern_mismatch" if context.get("pattern") == NAME_PATTERN:
            return Mistake(at, value, NAME_RULE, "Give it another name.")
        case "string_pattern_mismatch" if context.get("pattern") == TAG_PATTERN:
            return Mistake(at, value, TAG_RULE, "Write the tag in another way.")
        case "too_short":
            items = "item" if context["min_length"] == 1 else "items"
            rule = f"the key needs at least {context['min_length']} {items}"
            return Mistake(at, value, f"{rule}, and it has {context['actual_length']}", "Add more.")
    rule = _PLAIN_RULES.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    return Mistake(at, value, rule[:1].lower() + rule[1:], _mend(location, schema, patterns))


def _mend(location: Location, schema: Mapping[str, Any], patterns: Mapping[str, type]) -> str:
    section = _node_at(location[:-1], schema, patterns)
    optional = location[-1:] and location[-1] in section.get("properties", {})
    if optional and location[-1] not in section.get("required", ()):
        return "Change it, or leave it out for the default."
    return "Change it."


def _place(location: Location) -> Location:
    """The place in the file, without the tags that pydantic adds."""
    plain = tuple(part for part in location if not _is_tag(part) and part != "[key]")
    if plain[:1] == ("backends",):
        return (*plain[:2], *plain[3:])
    return plain


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and (part in (NAMED, LISTED) or part.startswith((TAGGED, SEATED)))


def _keys_at(
    location: Location, schema: Mapping[str, Any], patterns: Mapping[str, type]
) -> list[str]:
    return sorted(_node_at(location, schema, patterns).get("properties", {}))


def _node_at(
    location: Location, schema: Mapping[str, Any], patterns: Mapping[str, type]
) -> dict[str, Any]:
    """The part of the JSON Schema that describes this place in the file."""
    node = _resolved(schema, schema)
    for part in location:
        if _is_tag(part):
            tag = str(part)
            kinds = MEMBERS if tag.startswith(SEATED) else patterns
            pattern = kinds.get(tag.removeprefix(SEATED).removeprefix(TAGGED))
            node = _resolved(schema["$defs"][pattern.__name__] if pattern else {}, schema)
            continue
        if isinstance(part, int):
            continue
        kind = node.get("discriminator", {}).get("mapping", {}).get(part)
        by_pattern = node.get("patternProperties", {}).values()
        node = _resolved(
            {"$ref": kind}
            if kind
            else node.get("properties", {}).get(part)
            or next(iter(by_pattern), None)
            or node.get("additionalProperties")
            or {},
            schema,
        )
    return node


def _resolved(node: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    node = node if isinstance(node, dict) else {}
    for variant in node.get("anyOf", ()):
        if "$ref" in variant:
            node = variant
    if "$ref" in node:
        target: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return target
    return dict(node)


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    backends = _resolved(schema["properties"]["backends"], schema)
    for values in backends.get("patternProperties", {}).values():
        return list(values.get("discriminator", {}).get("mapping", {}))
    return []
