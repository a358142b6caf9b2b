"""The pages are true: their code blocks run; their figures, pictures, names and links are right."""

import asyncio
import json
import re
from contextlib import AsyncExitStack

import pytest

from experiments import readme
from experiments.agents import report as agents
from experiments.budgets import report as budgets
from experiments.dashboard import report as dashboard
from experiments.demo import picture
from experiments.demo import report as demo
from experiments.dialects import run as dialects
from experiments.drift import report as drift
from experiments.growth import report as growth
from experiments.growth.beside import beside_table, early_table
from experiments.growth.serve import serve_table
from experiments.guardrails import report as guardrails
from experiments.image import report as image
from experiments.init import report as init
from experiments.kinds import report as kinds
from experiments.library import run as library
from experiments.llama import report as llama
from experiments.offpolicy import report as offpolicy
from experiments.overhead import report as overhead
from experiments.plans import report as plans
from experiments.replay import report as replay
from experiments.replay.comparing import rivals_table
from experiments.reuse import report as reuse
from experiments.sandbox import report as sandbox
from experiments.scale import report as scale
from experiments.shadow import report as shadow
from experiments.signals import report as signals
from experiments.statistics import report as statistics
from experiments.structure import report as structure
from experiments.telemetry import report as telemetry
from experiments.training.data import report as training_data
from experiments.training.twin import run as twin
from experiments.trials import report as trials
from router.backends.host import Host, HostDoor
from router.calls.hop import Hops
from router.config.load import load
from router.domain import CHAT, Call
from router.wire.frame_server import FrameServer
from sandbox.contradictions import contradiction
from sandbox.request import read
from tests.pages.blocks import blocks
from tests.pages.executors import perform_page
from tests.pages.names import mistakes
from tests.pages.stage import PageStage
from tests.pages.telemetry import write_telemetry
from tests.sparing import slow_after

PAGES = [str(page.relative_to(readme.ROOT)) for page in readme.pages()]
LONG = {"router/telemetry/README.md", "sandbox/README.md"}  # pages with the most blocks
REPORTS = {
    "budgets": budgets,
    "overhead": overhead,
    "telemetry": telemetry,
    "sandbox": sandbox,
    "growth": growth,
    "guardrails": guardrails,
    "init": init,
    "library": library,
    "structure": structure,
    "statistics": statistics,
    "plans": plans,
    "demo": demo,
    "dashboard": dashboard,
    "replay": replay,
    "kinds": kinds,
    "llama": llama,
    "agents": agents,
    "drift": drift,
    "offpolicy": offpolicy,
    "shadow": shadow,
    "signals": signals,
    "reuse": reuse,
    "trials": trials,
    "image": image,
}


def result_of(experiment):
    return json.loads((readme.ROOT / "experiments" / experiment / "result.json").read_text())


@pytest.fixture(scope="session")
def page_telemetry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "telemetry"
    write_telemetry(folder)
    return folder


@pytest.fixture
async def stage(tmp_path, monkeypatch, page_telemetry):
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OTLP_TOKEN", "WAGGLE_TOKEN"):
        monkeypatch.setenv(name, "x")
    async with AsyncExitStack() as stack:
        yield PageStage(tmp_path, page_telemetry, stack)


@pytest.mark.parametrize("page", [*sorted({*PAGES} - LONG), *slow_after(0, sorted(LONG))])
async def test_the_blocks_of_a_page_do_what_they_say(page, stage):
    await perform_page(blocks(readme.ROOT / page), stage)


@pytest.mark.parametrize("page", PAGES)
def test_the_names_and_links_of_a_page_lead_somewhere(page):
    assert list(mistakes(readme.ROOT / page)) == []


def test_the_main_page_is_read_in_three_minutes():
    assert len((readme.ROOT / "README.md").read_bytes()) <= 8192


@pytest.mark.parametrize(("name", "report"), REPORTS.items())
def test_the_figures_are_those_of_the_last_measurement(name, report):
    assert readme.block(name) == report.readme_table(result_of(name))


@pytest.mark.parametrize(
    ("name", "experiment", "report"),
    [
        ("dialects-lost", "dialects", dialects.lost_table),
        ("dialects-added", "dialects", dialects.added_table),
        ("kinds score", "kinds", kinds.score_table),
        ("growth serve", "growth", serve_table),
        ("growth beside", "growth", beside_table),
        ("growth early", "growth", early_table),
        ("speed", "overhead", overhead.speed_table),
        ("weeks", "trials", trials.weeks_table),
        ("demo weeks", "demo", demo.weeks_table),
        ("distilled", "trials", trials.function_of),
        ("sets", "replay", replay.sets_table),
        ("held", "replay", replay.held_table),
        ("savings", "replay", replay.savings_table),
        ("learning", "replay", replay.learning_table),
        ("rivals", "replay", rivals_table),
        ("conditions", "replay", replay.conditions_table),
        ("data", "training/data", training_data.readme_table),
        ("twin", "training/twin", twin.readme_table),
        ("scale", "scale", scale.readme_table),
        ("scale advice", "scale", scale.advice_table),
        ("scale machine", "scale", scale.machine_table),
    ],
)
def test_the_other_figures_are_those_of_the_last_run(name, experiment, report):
    assert readme.block(name, experiment) == report(result_of(experiment)).strip()


def test_the_learning_curve_is_that_of_the_last_demo(tmp_path):
    picture.draw(result_of("demo")["curve"], tmp_path / "curve.svg")
    assert picture.PICTURE.read_text() == (tmp_path / "curve.svg").read_text()


def blocks_of(page, language):
    return [it.text for it in blocks(readme.ROOT / page) if it.language == language]


def test_the_complete_configuration_is_complete(tmp_path):
    complete = blocks_of("router/README.md", "yaml")[0]
    path = tmp_path / "waggle.yaml"
    path.write_text(complete)
    assert list(load(path, {"OPENAI_API_KEY": "x"}).plans) == ["fast", "premium"]


def test_the_statistical_requests_are_read_as_the_page_says():
    text = " ".join(blocks_of("router/compute/README.md", "sh"))
    requests = [" ".join(request.split()) for request in re.findall(r'"(Generate [^"]+)"', text)]
    specs = [read(request).spec for request in requests]
    assert [contradiction(spec) for spec in specs] == ["", ""]
    assert [field.name for field in specs[1].fields] == ["revenue", "region", "employee"]


async def test_the_backend_of_your_own_answers_behind_its_host():
    [code] = blocks_of("router/backends/README.md", "python")
    names = {"__name__": __name__}
    await asyncio.to_thread(exec, code, names)
    host = Host(names["case"].settings, names["EchoBackend"]())
    server = FrameServer(HostDoor({"echo": host}), "t")
    await server.open()
    call = Call(CHAT, json.dumps(names["fields"]).encode(), stream=False)
    answer = await Hops("t").send(server.address, "echo", call)
    body = json.loads(await answer.whole())
    await server.close()
    assert body["choices"][0]["message"]["content"] == "dance with me"
