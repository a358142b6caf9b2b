"""A twin writes as a person does: with consent, through another backend, and says what it is."""

import datetime as dt
import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from router.backends.twin_backend import TwinBackend
from router.cli.models import models_app
from router.config.backends import TwinSettings
from router.config.config import Config
from router.config.load import at_home
from router.deployment.doctor_models import models_of
from router.domain import CHAT, Call, Fault
from router.models.features import Asked
from router.models.models import Models
from router.models.registry import Registry
from router.models.twin import Consent
from router.request.text import fields_of
from router.training.consent import consent_of, texts_set, withdraw_consent
from router.training.data_query import DataRefused
from router.training.data_sets import DataSets
from router.training.model_changes import Refused, register
from router.training.run import TRAINERS
from router.training.trainer import Wish
from router.training.voices import style_of
from router.wire.chat_replies import chat_reply
from tests.models.made import card
from tests.models.made import register as register_head
from tests.training.test_head import Desk

NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
WORDS = "I, Ann Lee, agree that a program writes as I do"
LLAMA = {"kind": "llama", "model": "packaged:smollm2"}


def text(n):
    return (
        f"Hiya Sam,\n\nit's lovely weather for walk {n}; the hills are green (and the dog is wet). "
        f"i'm bringing a flask, as ever, and {n} sandwiches. don't you dare be late!!\n\n"
        f"Toodle-pip, Ann"
    )


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "letters"
    place.mkdir()
    for n in range(30):
        (place / f"{n:02}.txt").write_text(text(n))
    return place


class Echo:
    """A writer that keeps what it was sent."""

    def __init__(self):
        self.sent = {}

    @asynccontextmanager
    async def send(self, call):
        self.sent = fields_of(call)
        yield chat_reply(call, "writer", ["Hiya, see you there"], 7)

    async def close(self):
        pass


def twin_in(home, folder, until=""):
    """A promoted twin, and where it is kept."""
    sets = DataSets(home / "training" / "data")
    consent = consent_of("Ann Lee", WORDS, "invitations", until, NOW)
    data = texts_set(sets, "ann-texts", folder)
    made = TRAINERS["twin"](data, Wish("twin", consent=asdict(consent)), Desk())
    assert made.passes
    register(Registry(home / "models"), card("ann", kind="twin"), made.files, promote=True)
    return made


def backend(home, **more):
    settings = TwinSettings(
        kind="twin", model="ann", writer=LLAMA, home=str(home / "models"), **more
    )
    writer = Echo()
    return TwinBackend(settings, writer), writer


async def answer(asked_backend, stream=False, **more):
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Invite Bo to tea."},
    ]
    body = json.dumps({"messages": messages, "stream": stream, **more}).encode()
    async with asked_backend.send(Call(CHAT, body, stream)) as reply:
        return b"".join([piece async for piece in reply.body])


async def test_a_twin_says_that_it_is_one_to_its_writer_and_to_its_caller(tmp_path, folder):
    made = twin_in(tmp_path, folder)
    assert "Ann" not in json.dumps([made.parameters, made.metrics])  # these reach telemetry
    twin, writer = backend(tmp_path)
    whole = json.loads(await answer(twin))
    first = writer.sent["messages"][0]
    assert first["role"] == "system"
    assert first["content"].startswith("You are a twin of Ann Lee: a program")
    assert "End with: Toodle-pip, Ann" in first["content"]
    assert first["content"].endswith("Be kind.")
    assert [m["role"] for m in writer.sent["messages"][1:]] == ["user", "assistant"] * 3 + ["user"]
    written = whole["choices"][0]["message"]["content"]
    assert written == "Hiya, see you there\n\nWritten by a program in the voice of Ann Lee."
    assert whole["twin"]["of"] == "Ann Lee"
    assert whole["twin"]["model"] == "ann@1"
    assert b"Written by a program" in await answer(twin, stream=True)
    plain = json.loads(await answer(twin, response_format={"type": "json_object"}))
    assert plain["choices"][0]["message"]["content"] == "Hiya, see you there"
    assert plain["twin"]["of"] == "Ann Lee"


async def test_withdrawn_consent_ends_a_twin_at_once_and_removes_what_it_was_made_of(
    tmp_path, folder
):
    twin_in(tmp_path, folder)
    twin, _ = backend(tmp_path)
    await answer(twin)
    registry, sets = Registry(tmp_path / "models"), DataSets(tmp_path / "training" / "data")
    runs = tmp_path / "training" / "runs"
    (runs / "ann-12ab").mkdir(parents=True)
    assert withdraw_consent(registry, sets, runs, "ann") == 1
    with pytest.raises(Fault, match="withdrew their consent"):
        await answer(twin)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and folder not in path.parents]
    assert not [path for path in left if b"lovely weather" in path.read_bytes()]
    assert not (runs / "ann-12ab").exists()
    register_head(tmp_path / "models")
    with pytest.raises(Refused, match="triage is no twin"):
        withdraw_consent(registry, sets, runs, "triage")


def test_a_second_withdrawal_removes_what_a_killed_one_left(tmp_path, folder, monkeypatch):
    twin_in(tmp_path, folder)
    registry, sets = Registry(tmp_path / "models"), DataSets(tmp_path / "training" / "data")

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("router.training.consent.shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw_consent(registry, sets, tmp_path / "runs", "ann")
    assert (sets.folder / "ann-texts").exists()
    assert withdraw_consent(Registry(tmp_path / "models"), sets, tmp_path / "runs", "ann") == 1
    left = [path for path in tmp_path.rglob("*") if path.is_file() and folder not in path.parents]
    assert not [path for path in left if b"lovely weather" in path.read_bytes()]


async def test_a_twin_refuses_when_its_consent_is_over(tmp_path, folder, monkeypatch):
    twin_in(tmp_path, folder, until="2026-05-02")
    twin, _ = backend(tmp_path)
    monkeypatch.setattr(Consent, "over", lambda self, _: self.until == "2026-05-02")
    with pytest.raises(Fault, match="consent for ann@1 ended on 2026-05-02: ask the person"):
        await answer(twin)


@pytest.mark.parametrize(
    ("person", "words", "until", "reason"),
    [
        ("Ann Lee", "I agree to everything here", "", "does not name Ann Lee"),
        ("Ann Lee", "Ann Lee", "", "does not name Ann Lee: give the person's own words"),
        ("", WORDS, "", "--of is empty"),
        ("Ann Lee", WORDS, "soon", "is no date: write it as"),
        ("Ann Lee", WORDS, "2020-01-01", "is over"),
    ],
)
def test_consent_names_the_person_and_has_an_end(person, words, until, reason):
    with pytest.raises(DataRefused, match=reason):
        consent_of(person, words, "letters", until, NOW)


def test_no_twin_is_made_without_consent_or_of_few_texts(tmp_path, folder):
    args = ["train", "ann", "--kind", "twin", "--texts", str(folder)]
    config = tmp_path / "waggle.yaml"
    config.write_text(f"server: {{data: {tmp_path / 'var'}}}\n")
    run = CliRunner().invoke(models_app, [*args, "-c", str(config)])
    assert run.exit_code != 0
    few = tmp_path / "few"
    few.mkdir()
    (few / "1.txt").write_text(text(1))
    data = texts_set(DataSets(tmp_path / "data"), "few-texts", few)
    consent = asdict(consent_of("Ann Lee", WORDS, "letters", "", NOW))
    with pytest.raises(DataRefused, match="a twin needs 10 of 500"):
        TRAINERS["twin"](data, Wish("twin", consent=consent), Desk())
    with pytest.raises(DataRefused, match="needs the person's consent"):
        TRAINERS["twin"](data, Wish("twin"), Desk())


def test_a_style_is_measured(tmp_path):
    style = style_of([text(n) for n in range(10)])
    assert style.greetings == ("Hiya NAME,",)
    assert style.sign_offs == ("Toodle-pip, Ann",)
    assert style.small_starts == 1.0
    assert style.contractions > 5
    assert style.marks["!!"] > 0
    assert any("as ever" in phrase or "the hills" in phrase for phrase in style.favourites)


def test_a_twin_cannot_be_used_as_a_head(tmp_path, folder):
    twin_in(tmp_path, folder)
    twin = Models(tmp_path / "models").get("ann").model
    with pytest.raises(RuntimeError, match="use a backend of kind `twin`"):
        twin.of(Asked("hello"))


def test_the_doctor_looks_at_a_twins_consent_disclosure_and_texts(tmp_path, folder):
    def examined(**more):
        twin = {"kind": "twin", "model": "ann", "writer": LLAMA, **more}
        raw = {"server": {"data": str(tmp_path)}, "backends": {"ann": twin}}
        config = Config.model_validate({**raw, "plans": {"ann": {"ask": "ann"}}})
        [diagnosis] = models_of(at_home(config))
        return diagnosis.verdict, diagnosis.state

    assert examined() == ("warn", "no model is called ann (there is none)")
    today = dt.datetime.now(dt.UTC).date()
    twin_in(tmp_path, folder, until=str(today + dt.timedelta(90)))
    assert examined() == ("ok", f"ann@1 writes, with consent until {today + dt.timedelta(90)}")
    assert examined(notice=None) == ("warn", "its texts do not say that a program wrote them")
    texts = tmp_path / "training" / "data" / "ann-texts"
    texts.rename(tmp_path / "kept")
    assert examined() == ("warn", "the texts of ann@1 are gone")
    (tmp_path / "kept").rename(texts)
    shutil.copytree(texts, tmp_path / "kept")
    sets = DataSets(tmp_path / "training" / "data")
    withdraw_consent(Registry(tmp_path / "models"), sets, tmp_path / "runs", "ann")
    assert examined() == ("warn", "consent was withdrawn")
    (tmp_path / "kept").rename(texts)
    assert examined() == ("bad", "consent was withdrawn, and texts are still here")


def test_the_doctor_sees_that_consent_ends_soon_and_that_files_were_changed(tmp_path, folder):
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(9)
    twin_in(tmp_path, folder, until=str(soon))
    twin = {"kind": "twin", "model": "ann", "writer": LLAMA}
    raw = {"server": {"data": str(tmp_path)}, "backends": {"ann": twin}}
    config = at_home(Config.model_validate({**raw, "plans": {"ann": {"ask": "ann"}}}))
    assert [each.state for each in models_of(config)] == [f"consent for ann@1 ends on {soon}"]
    [file] = (tmp_path / "models" / "files").glob("*/twin.json")
    file.write_bytes(file.read_bytes().replace(b"Ann", b"Bob"))
    [changed] = models_of(config)
    assert "were changed since it was made" in changed.state
    assert changed.mend.startswith("train it again")
