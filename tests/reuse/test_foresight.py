"""`waggle solutions why` says what the service does: each pair is asked of a service as well."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from router.api.parse import parse_chat
from router.cli.main import app
from router.engine.foresight import foresee
from router.reuse.calibration import Calibration
from router.reuse.neighbourhood import neighbourhood_of
from router.reuse.solution_store import ReuseCheck, SolutionStore
from tests.reuse.service import QUESTION, ScriptedTexts, bare, models, rig, settled
from tests.sparing import slow_after
from tests.waiting import until

DRAWN = "Generate 1000 users with normal age distribution"
PLEASE = "What is the capital of France, please?"


class ModelsOf:
    """The encoder and the verifier of a running router."""

    def __init__(self, keeper) -> None:
        self.keeper = keeper

    def similarity(self, stored, request):
        first, second = self.keeper.encoder.encoder.encode([stored, request])
        return float(first @ second)

    def probability(self, stored, request):
        return self.keeper.verifier.probability(stored, request)

    def accepts(self, probability):
        return self.keeper.verifier.accepts(probability)

    def neighbourhood(self, request):
        return neighbourhood_of(self.keeper.encoder.encoder.encode([request])[0])


async def both(waggle, stored: str, request: str):
    """What is foreseen for the request, and the tier in which the service then answers it."""
    keeper = waggle.engine.recall.memory.keeper
    await until(lambda: keeper.want_verifier() is not None)
    first = await waggle.chat(stored)
    await settled(waggle)
    chats = [
        parse_chat(
            json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}).encode(),
            {}, request_id="", key_id="",
        )
        for text in (stored, request)
    ]  # fmt: skip
    calibration = waggle.engine.recall.memory.calibration
    by = first.headers["x-waggle-backend"]
    foresight = foresee(waggle.engine.plans, *chats, calibration, ModelsOf(keeper), by=by)
    reply = await waggle.chat(request)
    return foresight, reply.headers["x-waggle-reuse"]


@pytest.mark.parametrize(
    ("stored", "request_", "tier", "reason"),
    slow_after(3, [
        (DRAWN, "Generate 500 employees with normal age distribution", "reuse", "1 number changed"),
        (DRAWN, "Generate 2000 customers with normal salary distribution", "adapt", "1 name"),
        ("What is the mean of [1, 2, 6]?", "What is the mean of [1, 2, 6]?", "exact", "very same"),
        (DRAWN, "Generate users with bimodal age distribution", "pattern", "written anew"),
        (DRAWN, DRAWN, "reuse", "nothing changed"),
        ("What is the mean of [1, 2, 6]?", "What is the sd of [1, 2, 6]?", "pattern", "beside"),
    ]),
)  # fmt: skip
async def test_a_computed_answer_is_foreseen(data, stored, request_, tier, reason):
    async with rig(bare(data)) as waggle:
        foresight, header = await both(waggle, stored, request_)
        assert (foresight.tier, header) == (tier, tier)
        assert reason in foresight.reason


@pytest.mark.parametrize(
    ("stored", "request_", "tier", "reason"),
    [
        (QUESTION, QUESTION, "exact", "very same"),
        (QUESTION, PLEASE, "reuse", "asks the same (words), and words:3 is trusted"),
        (QUESTION, "What is not the capital of France?", "novel", "negation"),
        ("Convert 5 miles to kilometres.", "Convert 8 miles to kilometres.", "adapt", "model"),
        (QUESTION, "What is the weather in Paris?", "novel", "the new request asks for what is so"),
        ("What happened today?", "What happened today?", "novel", "the remembered request asks"),
        ("Is ada@example.org valid?", "Is ada@example.org valid?", "novel", "personal data"),
        ("Wie heißt die Hauptstadt und was ist das?", "Wie heißt die Hauptstadt? Und was ist das?",
         "novel", "the guards know English only"),
        ("Who wrote Faust?", "Wie heißt die Hauptstadt und was ist das?", "novel", "languages"),
    ],
)  # fmt: skip
async def test_an_answer_in_words_is_foreseen(data, stored, request_, tier, reason):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all", adapter="model", budget=0.2)) as waggle,
    ):
        foresight, header = await both(waggle, stored, request_)
        assert (foresight.tier, header) == (tier, tier)
        assert reason in foresight.reason


async def test_invented_records_are_foreseen_to_be_new(data):
    async with rig(bare(data, keep="all")) as waggle:
        records = '5 users {"id": "uuid"}'
        foresight, header = await both(waggle, records, records)
        assert (foresight.tier, header) == ("novel", "novel")
        assert "invented records differ" in foresight.reason
        assert foresight.unrepeatable.keys() == {"generator"}


@pytest.mark.parametrize(
    ("mode", "reason"), [("exact", "reuse.mode is exact"), ("similar", "is not trusted yet")]
)
async def test_a_likeness_that_is_not_trusted_or_not_configured_is_foreseen(data, mode, reason):
    async with (
        ScriptedTexts().listening() as model,
        rig(models(data, model.url, keep="all", mode="similar", budget=0.001)) as waggle,
    ):
        if mode == "exact":
            config = waggle.engine.config
            reuse = config.reuse.model_copy(update={"mode": "exact"})
            waggle.engine.reconfigure(config.model_copy(update={"reuse": reuse}))
        foresight, header = await both(waggle, QUESTION, PLEASE)
        assert (foresight.tier, header) == ("novel", "novel")
        assert reason in foresight.reason


@pytest.fixture
def why(data):
    def run(*arguments: str, **reuse):
        file = data / "waggle.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(bare(data, **reuse))))
        command = ["solutions", "why", *arguments, "-c", str(file)]
        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_the_command_shows_all_that_decides(why):
    rows = {line.split("  ")[0]: line for line in why(QUESTION, PLEASE).splitlines()[1:]}
    shown = ["freshness", "personal data", "may be repeated", "language", "guards", "similarity"]
    assert list(rows)[:6] == shown
    assert "words: no difference found" in rows["guards"]
    assert "words:3, accepted by words" in rows["likeness"]
    assert "none: reuse.verifier names no backend" in rows["backend question"]
    assert "1.0% of reused answers may be wrong" in rows["budget"]


def test_the_command_reads_the_configuration_and_the_evidence_of_this_machine(data, why):
    assert why(QUESTION, PLEASE, mode="off").startswith("novel: reuse.mode is off")
    assert "is not trusted yet" in why(QUESTION, PLEASE, budget=0.001)
    before = json.loads(why(QUESTION, PLEASE, "--json", budget=0.02))
    assert (before["tier"], before["bucket"]) == ("novel", "words:3")
    store = SolutionStore(data / "solutions")
    checks = [ReuseCheck("words:3", b"", False, 1.0, 1.0 * n, n) for n in range(1, 1000)]
    store.add_evidence(checks)
    store.close()
    after = json.loads(why(QUESTION, PLEASE, "--json", budget=0.02))
    assert after["tier"] == "reuse"
    assert after["trust"]["bound"] < before["trust"]["bound"]
    assert Calibration(0.02).standing("words:3").bound == before["trust"]["bound"]


def test_the_command_refuses_a_backend_that_is_not_configured(data):
    command = ["solutions", "why", "a", "b", "--by", "nobody", "--data", str(data)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "no backend has the name nobody" in result.stderr


def test_what_nothing_has_to_measure_needs_no_model(tmp_path):
    command = ["solutions", "why", QUESTION, "Who wrote Hamlet?", "--data", str(tmp_path / "none")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert not (tmp_path / "none" / "encoders").exists()
