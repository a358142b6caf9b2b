"""A YAML file as plain values that know their lines, and mistakes in it as people can mend them."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from router.config.plans import NAMED, TAGGED

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_SECRETS = frozenset({"api_key"})
_SECRET_SECTIONS = frozenset({"headers"})

Location = tuple[str | int, ...]
Found = tuple[Location, Any, str, str]  # where, what, rule, mend


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, what was written, which rule it breaks, and what to do."""

    file: str
    line: int
    key: str
    value: str
    rule: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key} = {self.value}: {self.rule}. {self.mend}"


class ConfigError(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Tree:
    """The values of a file, the line of each, and what was wrong before any rule was asked."""

    def __init__(self, node: yaml.Node | None, variables: Mapping[str, str]) -> None:
        self.lines: dict[Location, int] = {}
        self.found: list[Found] = []
        self._variables = variables
        self._scalars = yaml.SafeLoader("")
        root = {} if node is None else self._value(node, ())
        if not isinstance(root, dict):
            self.found.append(((), root, "the file must be a mapping", "See the example file."))
            root = {}
        self.root: dict[str, Any] = root

    def _value(self, node: yaml.Node, at: Location) -> Any:
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*at, index)) for index, item in enumerate(node.value)]
        plain = self._scalars.construct_object(node, deep=True)
        return self._filled(plain, at) if isinstance(plain, str) else plain

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                first = self.lines[(*at, key)]
                rule = f"this key stands here twice, first in line {first}"
                self.found.append(((*at, key), "…", rule, "Keep one of them."))
            self.lines[(*at, key)] = key_node.start_mark.line + 1
            result[key] = self._value(value_node, (*at, key))
        return result

    def _filled(self, text: str, at: Location) -> str:
        """`text` with the environment put in; a secret stays the reference it must be."""
        for match in REFERENCE.finditer(text):
            name, default = match[1], match[2]
            if name not in self._variables and default is None:
                rule = f"the environment variable {name} is not set"
                mend = f"export {name}=…, or write ${{{name}:-default}}."
                self.found.append((at, text, rule, mend))
        if is_secret(at):
            return text
        return REFERENCE.sub(lambda m: self._variables.get(m[1], m[2] or ""), text)


def is_secret(at: Location) -> bool:
    """Whether what stands at this place may only be a reference to the environment."""
    return at[-1:] != () and (at[-1] in _SECRETS or (len(at) > 1 and at[-2] in _SECRET_SECTIONS))


def read_tree(path: Path, shown: str, variables: Mapping[str, str]) -> Tree:
    try:
        return Tree(yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader), variables)
    except (OSError, UnicodeDecodeError) as error:
        said, line, mend = f"cannot be read: {error}", 0, "Check the path and its permissions."
        raise ConfigError([Problem(shown, line, "file", str(path), said, mend)]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = f"this is not YAML: {getattr(error, 'problem', None) or error}"
        line = mark.line + 1 if mark else 0
        mend = "Check the indentation and quotes there."
        raise ConfigError([Problem(shown, line, "file", str(path), said, mend)]) from error


def unknown(what: str, name: str, known: Iterable[str]) -> tuple[str, str]:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    mend = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
    return f"no {what} is called that", mend


def explained(error: Any, schema: Mapping[str, Any], patterns: Mapping[str, type]) -> Found:
    """A pydantic error in our words."""
    where: Location = tuple(error["loc"])
    rule, value = str(error["msg"]), error.get("input")
    mend = "Change it, or leave it out for the default."
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(where[:-1], schema, patterns)
            close = difflib.get_close_matches(str(where[-1]), known, n=1)
            rule = "nothing reads this key"
            mend = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        case "missing":
            value, rule, mend = "(missing)", "this key must be there", f"Add `{where[-1]}:`."
        case "union_tag_invalid" | "union_tag_not_found" if where[:1] == ("plans",):
            rule = "a step is the name of a backend or plan, or a plan of one pattern"
            mend = f"Give it one of these keys: {', '.join(f'`{p}`' for p in patterns)}."
        case "union_tag_invalid" | "union_tag_not_found":
            kinds = str(error.get("ctx", {}).get("expected_tags", "")).replace("'", "`")
            kinds = kinds or ", ".join(f"`{kind}`" for kind in _tags(schema))
            rule, mend = "no such kind of backend", f"`kind` must be one of {kinds}."
            value = value.get("kind", "(missing)") if isinstance(value, dict) else value
            where = (*where, "kind")
        case "string_pattern_mismatch" if is_secret(where):
            value, rule = "(hidden)", "a secret may not be written here"
            mend = "Write ${NAME} and set NAME in the environment."
        case _ if where[-1] == "[key]":
            where = where[:-1]
    rule = rule.removeprefix("Value error, ")
    return _untagged(where), value, rule[:1].lower() + rule[1:], mend


def _untagged(where: Location) -> Location:
    """Pydantic names the pattern of a plan in the place of an error; the file does not."""
    return tuple(part for part in where if not _is_tag(part))


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and (part == NAMED or part.startswith(TAGGED))


def problems(file: str, found: Iterable[Found], lines: Mapping[Location, int]) -> list[Problem]:
    """Each with its line, in the order of the file."""
    result = set()
    for where, value, rule, mend in found:
        # Pydantic puts the variant of a union into the place; the file knows nothing of it.
        untagged = (*where[:2], *where[3:])
        shown = untagged if where not in lines and where[:1] == ("backends",) else where
        if where[:1] == ("backends",) and shown not in lines and where[:-1] in lines:
            shown = where
        known = shown
        while known and known not in lines:
            known = known[:-1]
        secret = is_secret(shown) and "${" not in str(value)
        text = "(hidden)" if secret else _short(value)
        key = ".".join(map(str, shown)) or "file"
        result.add(Problem(file, lines.get(known, 1), key, text, rule, mend))
    return sorted(result, key=lambda problem: (problem.line, problem.key, problem.rule))


def _known_keys(
    where: Location, schema: Mapping[str, Any], patterns: Mapping[str, type]
) -> list[str]:
    """The keys that may stand at a place, read off the JSON Schema."""
    node = _resolved(schema, schema)
    for part in where:
        if _is_tag(part):
            pattern = patterns.get(str(part).removeprefix(TAGGED))
            node = _resolved(schema["$defs"][pattern.__name__] if pattern else {}, schema)
            continue
        if isinstance(part, int):
            continue
        tagged = node.get("discriminator", {}).get("mapping", {}).get(part)
        by_pattern = node.get("patternProperties", {}).values()
        node = _resolved(
            {"$ref": tagged}
            if tagged
            else node.get("properties", {}).get(part)
            or next(iter(by_pattern), None)
            or node.get("additionalProperties")
            or {},
            schema,
        )
    return sorted(node.get("properties", {}))


def _resolved(node: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    node = node if isinstance(node, dict) else {}
    for one in node.get("anyOf", ()):
        if "$ref" in one:
            node = one
    if "$ref" in node:
        found: dict[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return found
    return dict(node)


def _tags(schema: Mapping[str, Any]) -> list[str]:
    backends = _resolved(schema["properties"]["backends"], schema)
    for values in backends.get("patternProperties", {}).values():
        return list(values.get("discriminator", {}).get("mapping", {}))
    return []


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
