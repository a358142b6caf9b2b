"""Specialists: folders are indexed, searched and cited, and get the questions they can answer."""

import functools
import json

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.config.backends import SpecialistSettings
from router.config.load import ConfigError
from router.config.load import load as load_config
from router.documents.indexing import NoDocuments, refresh
from router.documents.passage_index import current, load
from router.documents.search import Expert
from tests.router.scripted import ScriptedModel, planned, text_of

TEA = "# Tea\n\n## Green tea\nGreen tea is steamed soon after picking. Brew it at eighty degrees.\n"
COFFEE = "# Coffee\n\n## Espresso\nEspresso is pressed through fine grounds at nine bar.\n"


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "tea.md").write_text(TEA)
    (folder / "coffee.md").write_text(COFFEE)
    return folder


def test_the_passage_that_answers_comes_first_with_its_source(docs, tmp_path, encoder):
    report = refresh(docs, tmp_path / "index", encoder)
    assert (report.files, report.fresh, report.passages) == (2, 2, 2)
    expert = Expert(load(tmp_path / "index"), encoder)
    hit = expert.ask("How hot should the water for green tea be?")[0]
    assert hit.passage.source == "tea.md"
    assert "eighty degrees" in hit.passage.text
    assert hit.confidence > 0.65
    assert expert.ask("Who was the first president of Iceland?")[0].confidence < 0.2


def test_only_what_changed_is_read_again(docs, tmp_path, encoder):
    home = tmp_path / "index"
    refresh(docs, home, encoder)
    first = current(home)
    again = refresh(docs, home, encoder)
    assert (again.fresh, again.changed) == (0, False)
    (docs / "tea.md").write_text(TEA + "\n## Oolong\nOolong is half oxidised and often rolled.\n")
    (docs / "coffee.md").unlink()
    report = refresh(docs, home, encoder)
    assert (report.files, report.fresh, report.passages) == (1, 1, 2)
    assert current(home) != first
    assert {p.source for p in load(home).passages} == {"tea.md"}


@pytest.mark.parametrize("broken", ["vectors.npy", "passages.json", "index.json"])
def test_a_damaged_index_is_never_used_and_made_again(docs, tmp_path, encoder, broken):
    home = tmp_path / "index"
    refresh(docs, home, encoder)
    path = current(home) / broken
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(LookupError):
        load(home)
    assert refresh(docs, home, encoder).fresh == 2
    assert len(load(home).passages) == 2


def test_a_folder_without_documents_says_so(tmp_path, encoder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoDocuments, match="holds nothing to read"):
        refresh(tmp_path / "empty", tmp_path / "index", encoder)
    with pytest.raises(NoDocuments, match="is no folder"):
        refresh(tmp_path / "missing", tmp_path / "index", encoder)


SHIPPED = {
    "ethereum": [
        "What happens to a validator that signs two blocks for one slot?",
        "How can I take my staked coins out?",
        "Why did my transfer use up all its gas and still fail?",
        "What is impermanent loss?",
    ],
    "football": [
        "When is a striker in an offside position?",
        "How far from goal is the penalty spot?",
        "Which nation has won the World Cup most often?",
        "What is a false nine?",
    ],
    "": [
        "How do I bake sourdough bread?",
        "What is the capital of Australia?",
        "How many players are on a basketball team?",
        "Write a poem about the sea.",
        "thanks!",
    ],
}


def shipped(tmp_path, encoders, **more):
    def settings(name):
        home = {"home": str(tmp_path / name), "encoders": str(encoders)}
        return {"kind": "specialist", "folder": f"shipped:{name}", **home, **more}

    names = ("ethereum", "football")
    return {name: settings(name) for name in names}, {f"ask-{n}": {"ask": n} for n in names}


async def test_each_question_goes_to_the_specialist_whose_documents_hold_its_answer(
    tmp_path, encoders, encoder
):
    backends, plans = shipped(tmp_path, encoders)
    for name in backends:
        folder = tmp_path / name
        refresh(_documents(name), folder, encoder)
    async with planned(
        plans | {"other": {"ask": "a"}}, backends, a=ScriptedModel("other")
    ) as waggle:
        for name, questions in SHIPPED.items():
            for question in questions:
                reply = await waggle.chat(question)
                assert reply.headers["x-waggle-backend"] == (name or "a"), question
                if name:
                    assert reply.headers["x-waggle-strategy"] == "specialist"
                    assert reply.json["specialist"]["found"]
                    source = reply.json["specialist"]["passages"][0]["source"]
                    assert f"Source: {source}" in text_of(reply)
        reply = await waggle.chat("How do I bake bread?", model="football")
        assert not reply.json["specialist"]["found"]
        assert text_of(reply) == "These documents hold no answer to this question."
        reply = await waggle.chat("  ", model="football")
        assert reply.status == 400
        route = await waggle.post(
            "/v1/route",
            {"model": "auto", "messages": [{"role": "user", "content": "What is offside?"}]},
        )
        assert "hold an answer" in route.json["reason"]
        assert "do not hold this" in route.json["ineligible"]["ask-ethereum"]


def test_doctor_tells_a_damaged_index_from_a_sound_one(docs, tmp_path, monkeypatch, encoder):
    monkeypatch.chdir(tmp_path)
    home, file = tmp_path / "index", tmp_path / "waggle.yaml"
    settings = f"{{kind: specialist, folder: {docs}, home: {home}}}"
    file.write_text(f"backends: {{tea: {settings}}}\nplans: {{p: {{ask: tea}}}}\n")
    refresh(docs, home, encoder)
    doctor = functools.partial(CliRunner().invoke, app, ["doctor"])
    assert "damaged" not in doctor().output
    (current(home) / "vectors.npy").write_bytes(b"torn")
    output = " ".join(doctor().output.split())
    assert "its index is damaged" in output
    assert "waggle specialist refresh" in output


async def test_a_damaged_index_claims_nothing_and_spoils_no_request(tmp_path, encoders, encoder):
    backends, plans = shipped(tmp_path, encoders)
    refresh(_documents("football"), tmp_path / "football", encoder)
    (current(tmp_path / "football") / "words.json").write_text("torn")
    refresh(_documents("ethereum"), tmp_path / "ethereum", encoder)
    (current(tmp_path / "ethereum") / "vectors.npy").write_bytes(b"torn")
    async with planned(
        plans | {"other": {"ask": "a"}}, backends, a=ScriptedModel("other")
    ) as waggle:
        for question in (SHIPPED["football"][0], SHIPPED["ethereum"][0]):
            reply = await waggle.chat(question)
            assert (reply.status, reply.headers["x-waggle-backend"]) == (200, "a")


async def test_a_writer_answers_from_the_passages_and_is_not_asked_without_any(tmp_path, encoders):
    backends, plans = shipped(tmp_path, encoders, writer="w")
    writer = ScriptedModel("Eleven metres [1].")
    async with planned(plans, backends, w=writer) as waggle:
        reply = await waggle.chat("How far from goal is the penalty spot?", model="ask-football")
        assert text_of(reply) == "Eleven metres [1]."
        assert "eleven metres" in writer.requests[0]["messages"][-2]["content"]
        assert "from them alone" in writer.last
        reply = await waggle.chat("How do I bake bread?", model="ask-football")
        assert reply.headers["x-waggle-partial"] == "unknown"
        assert len(writer.requests) == 1


def test_a_specialist_is_added_by_one_command(docs, tmp_path, monkeypatch, encoders):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "encoders").symlink_to(encoders)
    run = CliRunner()
    result = run.invoke(app, ["specialist", "add", "drinks", str(docs)])
    assert result.exit_code == 0, result.output
    assert "2 files, 2 read" in result.output
    assert "drinks: {kind: specialist" in (tmp_path / "waggle.yaml").read_text()
    result = run.invoke(app, ["specialist", "ask", "drinks", "At what pressure is espresso made?"])
    assert "nine bar" in result.output
    result = run.invoke(app, ["specialist", "add", "drinks", str(docs)])
    assert "0 read, 2 as before" in result.output
    assert "drinks" in run.invoke(app, ["specialist", "list"]).output
    for command, message in (
        (["add", "no/name", str(docs)], "NAME = 'no/name': a name is at most 64 letters"),
        (["add", "generator", str(docs)], "of kind generator"),
        (["add", "x", str(tmp_path / "missing")], "is no folder"),
        (["add", "x", str(docs), "--writer", "nobody"], "no such backend"),
        (["ask", "nobody", "?"], "no specialist is called nobody"),
    ):
        result = run.invoke(app, ["specialist", *command])
        assert result.exit_code != 0
        assert message in " ".join(result.output.split()), result.output


def _documents(name):
    return SpecialistSettings(kind="specialist", folder=f"shipped:{name}").documents


def test_a_folder_that_is_not_there_is_named_in_the_configuration(tmp_path):
    path = tmp_path / "w.yaml"
    settings = {
        "backends": {"x": {"kind": "specialist", "folder": "shipped:chess", "writer": "y"}},
        "plans": {"p": {"ask": "x"}},
    }
    path.write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert "no such folder of documents" in str(error.value)
    assert "backends.x.writer" in str(error.value)
