"""A configuration that computes answers, and scripted models that write the programs."""

import yaml as pyyaml

from tests.upstream import Upstream, completion

YAML = """
backends:
  generator: {kind: generator}
  sandbox: {kind: sandbox, min_level: 1}
plans:
  generate: {ask: generator}
  compute: {code: sandbox, words: generator}
"""


def with_author(url: str, **plan) -> str:
    """A configuration in which a scripted model writes the programs."""
    config = pyyaml.safe_load(YAML)
    price = {"input": 1, "output": 2}
    config["backends"]["coder"] = {"kind": "openai", "base_url": url, "price": price}
    config["plans"]["compute"] = {"code": "sandbox", "authors": ["coder"], **plan}
    config["plans"]["words"] = {"ask": "coder"}
    return pyyaml.safe_dump(config)


def content(answer) -> str:
    return answer.json["choices"][0]["message"]["content"]


class ScriptedAuthor(Upstream):
    """A model that answers with the given programs in turn, and keeps its requests."""

    def __init__(self, *programs: str) -> None:
        self.requests = []
        left = list(programs)

        async def script(wire) -> None:
            self.requests.append(wire.fields)
            await wire.json(completion(left.pop(0) if len(left) > 1 else left[0]))

        super().__init__(script)
