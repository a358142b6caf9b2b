"""Reads a YAML file as plain values, with the line of each value and the variables filled in.

Secrets stay references: their values never enter the configuration.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from router.config.problems import ConfigError, Mistake, Problem
from router.config.references import REFERENCE, Location, is_secret


class Tree:
    """The values of a file, their lines, and the mistakes found while the file was read."""

    def __init__(self, node: yaml.Node | None, variables: Mapping[str, str]) -> None:
        self.lines: dict[Location, int] = {}
        self.mistakes: list[Mistake] = []
        self._variables = variables
        self._scalars = yaml.SafeLoader("")
        root = {} if node is None else self._value(node, ())
        if not isinstance(root, dict):
            rule, mend = "the file must be a mapping", "Begin with `backends:` and `plans:`."
            self.mistakes.append(Mistake((), root, rule, mend))
            root = {}
        self.root: dict[str, Any] = root

    def _value(self, node: yaml.Node, at: Location) -> Any:
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*at, index)) for index, item in enumerate(node.value)]
        value = self._scalars.construct_object(node, deep=True)
        return self._filled(value, at) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (*at, key)
            if key in result:
                rule = f"this key stands here twice, first in line {self.lines[place]}"
                self.mistakes.append(Mistake(place, "…", rule, "Remove one of the two."))
            self.lines[place] = key_node.start_mark.line + 1
            result[key] = self._value(value_node, place)
        return result

    def _filled(self, text: str, at: Location) -> str:
        """The text with environment variables filled in; a secret stays a reference."""
        for match in REFERENCE.finditer(text):
            name, default = match[1], match[2]
            if name not in self._variables and default is None:
                rule = f"the environment variable {name} is not set"
                mend = f"export {name}=…, or write ${{{name}:-default}}."
                self.mistakes.append(Mistake(at, text, rule, mend))
        if is_secret(at):
            return text
        return REFERENCE.sub(lambda m: self._variables.get(m[1], m[2] or ""), text)


def read_tree(path: Path, shown: str, variables: Mapping[str, str]) -> Tree:
    """Read a YAML file; `shown` is the file's name in messages."""
    try:
        return Tree(yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader), variables)
    except (OSError, UnicodeDecodeError) as error:
        rule, mend = f"cannot be read: {error}", "Check the path and its permissions."
        raise ConfigError([Problem(shown, 0, "file", str(path), rule, mend)]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        rule = f"this is not YAML: {getattr(error, 'problem', None) or error}"
        line = mark.line + 1 if mark else 0
        mend = "Check the indentation and quotes there."
        raise ConfigError([Problem(shown, line, "file", str(path), rule, mend)]) from error
