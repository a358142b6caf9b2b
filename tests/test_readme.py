"""The README is a promise too: its figures, its example and its links hold."""

import json
import re
from pathlib import Path

import pytest

from experiments import readme
from experiments.dashboard import report as dashboard
from experiments.demo import picture
from experiments.demo import report as demo
from experiments.overhead import report as overhead
from experiments.plans import report as plans
from experiments.replay import report as replay
from experiments.reuse import report as reuse
from experiments.sandbox import report as sandbox
from experiments.statistics import report as statistics
from experiments.telemetry import report as telemetry
from experiments.trials import report as trials
from sandbox.contradictions import contradiction
from sandbox.request import read
from sandbox.runner import Limits, Program
from tests.rig import listening

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


REPORTS = {
    "overhead": overhead,
    "telemetry": telemetry,
    "sandbox": sandbox,
    "statistics": statistics,
    "plans": plans,
    "demo": demo,
    "dashboard": dashboard,
    "replay": replay,
    "reuse": reuse,
    "trials": trials,
}


@pytest.mark.parametrize(("name", "report"), REPORTS.items())
def test_the_figures_are_those_of_the_last_measurement(name, report):
    result = json.loads((ROOT / "experiments" / name / "result.json").read_text())
    assert readme.block(name) == report.readme_table(result)


@pytest.mark.parametrize(
    ("name", "report"), {"weeks": trials.weeks_table, "distilled": trials.function_of}.items()
)
def test_the_story_is_that_of_the_last_run(name, report):
    result = json.loads((ROOT / "experiments" / "trials" / "result.json").read_text())
    assert readme.block(name, "trials") == report(result).strip()


def test_the_learning_curve_is_that_of_the_last_demo(tmp_path):
    result = json.loads((ROOT / "experiments" / "demo" / "result.json").read_text())
    picture.draw(result["curve"], tmp_path / "curve.svg")
    assert picture.PICTURE.read_text() == (tmp_path / "curve.svg").read_text()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", TEXT))
def test_a_link_leads_to_a_file(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("link", re.findall(r"\]\(#([^)]+)\)", TEXT))
def test_a_link_within_leads_to_a_heading(link):
    headings = re.findall(r"^#+ (.+)$", TEXT, re.M)
    assert link in {heading.lower().replace(" ", "-") for heading in headings}


def test_the_complete_configuration_is_valid(tmp_path):
    from router.config.load import load

    (complete,) = (b for b in YAML if "backends:" in b and "plans:" in b)
    path = tmp_path / "waggle.yaml"
    path.write_text(complete)
    assert list(load(path, {"OPENAI_API_KEY": "x"}).plans) == ["fast", "premium"]


YAML = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)
BACKENDS = """
  sandbox: {kind: sandbox}
  generator: {kind: generator}
  enricher: {kind: enricher}
  validator: {kind: validator}
  football: {kind: specialist, folder: "shipped:football"}
"""
MODELS = ("small", "second", "third", "large", "coder", "cloud")


@pytest.mark.parametrize("text", [b for b in YAML if not ("backends:" in b and "plans:" in b)])
def test_a_part_of_a_configuration_is_valid_beside_the_rest(text, tmp_path):
    from router.config.load import load

    models = "".join(f'  {m}: {{kind: openai, base_url: "http://127.0.0.1:1"}}\n' for m in MODELS)
    own = text.removeprefix("backends:\n") if text.startswith("backends:") else ""
    whole = f"backends:{BACKENDS}{models}{own}" + ("" if own else text)
    if "plans:\n" not in whole:
        whole += "plans:\n  records: {ask: generator}\n"
    path = tmp_path / "waggle.yaml"
    path.write_text(whole)
    assert load(path, {}).plans


def test_the_statistical_requests_are_read_as_it_says():
    said = [" ".join(text.split()) for text in re.findall(r'"(Generate [^"]+)"', TEXT)]
    assert len(said) == 2
    for text in said:
        spec = read(text).spec
        assert spec is not None, text
        assert contradiction(spec) == ""
    assert [f.name for f in (read(said[1]).spec or read("").spec).fields] == [
        "revenue",
        "region",
        "employee",
    ]


async def test_the_sandbox_runs_as_its_own_readme_says():
    from sandbox.levels import open_pool

    text = (ROOT / "sandbox" / "README.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", text, re.S)
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    names = {"open_pool": open_pool, "Limits": Limits, "Program": Program}
    exec(f"async def example():\n{lines}    return run\n", names)
    run = await names["example"]()
    assert run.ok
    assert run.result.tolist() == [0, 1, 4]


async def test_the_backend_of_your_own_runs_as_it_stands_there():
    import aiohttp

    from router.backends.host import Host

    [code] = re.findall(r"```python\n(class EchoSettings.*?)```", TEXT, re.S)
    names: dict = {"__name__": __name__}
    exec(
        "from collections.abc import AsyncIterator\n"
        "from contextlib import asynccontextmanager\n"
        "from typing import Literal\n"
        "from router.config.values import BackendSettings\nfrom router.domain import Call, Reply\n"
        "from router.wire.chat_replies import chat_reply\n"
        "from router.request.text import fields_of, last_user_text, tokens_in\n" + code,
        names,
    )
    settings = names["EchoSettings"](kind="echo")
    host = Host(settings, names["EchoBackend"](), token="t")
    body = {"messages": [{"role": "user", "content": "dance with me"}]}
    async with listening(host) as address, aiohttp.ClientSession() as session:
        async with session.post(
            f"http://{address}/v1/chat/completions", json=body, headers={"x-waggle-token": "t"}
        ) as answer:
            told = await answer.json()
    assert told["choices"][0]["message"]["content"] == "dance with me"
