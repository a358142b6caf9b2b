"""`waggle init` as a user runs it: beside scripted providers, with and without a terminal."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.init_notice import notice
from router.cli.main import app
from router.config.environment import TOKEN_VARIABLE
from router.config.load import load
from router.deployment.ray_environment import port_free
from router.discovery.providers import PROVIDERS, VARIABLES
from tests.discovery import dialects
from tests.discovery.dialects import KEY
from tests.serve.running import UpstreamThread

FILE = Path("waggle.yaml")
LOCAL = {provider.name for provider in PROVIDERS if provider.local}
ALL_FREE = all(port_free("127.0.0.1", port) for port in (11434, 1234, 8000, 8080))


@pytest.fixture(scope="module")
def background():
    background = UpstreamThread()
    yield background
    background.close()


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment that names no provider, and usual ports at which nothing listens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(TOKEN_VARIABLE, "t")
    monkeypatch.setenv("COLUMNS", "200")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for provider in PROVIDERS:
        if provider.local:
            monkeypatch.setenv(provider.urls[0], "http://127.0.0.1:9/v1")
    return monkeypatch


@pytest.fixture
def stands(background, environment):
    """Puts a scripted provider where the environment says; `key` is the key that it is sent."""

    def stand(name, script, *, at="/v1", key=KEY):
        provider = next(each for each in PROVIDERS if each.name == name)
        upstream = background.upstream(script)
        environment.setenv(provider.urls[0], upstream.url.removesuffix("/v1") + at)
        if key and not provider.local:
            environment.setenv(provider.keys[0], key)
        return upstream

    return stand


def init(*options, answers=None):
    run = CliRunner().invoke(app, ["init", "--seconds", "30", *options], input=answers)
    assert KEY not in run.output
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    return run


def words(run):
    return " ".join(run.output.split())


def three_and_a_local_one(stands):
    return {
        "openai": stands("openai", dialects.openai()),
        "anthropic": stands("anthropic", dialects.anthropic(), at=""),
        "gemini": stands("gemini", dialects.gemini(), at=""),
        "ollama": stands("ollama", dialects.ollama()),
    }


def chats(upstreams):
    """Requests that could cost money: all but lists and descriptions of models."""
    free = ("/models", "/api/tags", "/api/show", "/api/version", "/props", "/key")
    seen = [wire.path.partition("?")[0] for each in upstreams.values() for wire in each.seen]
    return [path for path in seen if not path.endswith(free)]


def test_three_providers_and_a_local_server_become_a_valid_file(stands):
    upstreams = three_and_a_local_one(stands)
    run = init("--yes")
    assert run.exit_code == 0, run.output
    config = load(FILE)
    assert {backend.kind for backend in config.backends.values()} == {
        "openai", "anthropic", "gemini",
    }  # fmt: skip
    assert {"llama3.2", "gpt-5", "claude-opus-4-5", "gemini-2.5-pro", "cascade"} <= {*config.plans}
    assert config.backends["llama3.2-at-ollama"].price.input == 0
    assert config.backends["claude-haiku-4-5-at-anthropic"].price.output == 5
    assert config.backends["gemini-2.5-pro-at-gemini"].context_window == 1_048_576
    assert all(backend.price is not None for backend in config.backends.values())
    assert chats(upstreams) == [], "--yes spends nothing"


def test_the_checks_of_waggle_check_find_nothing_wrong(stands):
    three_and_a_local_one(stands)
    init("--yes")
    check = CliRunner().invoke(app, ["check"])
    assert check.exit_code == 0, check.output
    assert "waggle.yaml is valid" in check.output


def test_the_file_and_the_screen_hold_no_secret(stands):
    three_and_a_local_one(stands)
    init("--yes")
    assert KEY not in FILE.read_text()
    assert "api_key: ${ANTHROPIC_API_KEY}" in FILE.read_text()


def test_it_shows_each_server_the_plans_and_the_most_of_a_day(stands):
    three_and_a_local_one(stands)
    run = words(init("--yes", "--dollars", "2.5"))
    assert "✓ OpenAI: 31 models" in run
    assert "✓ Anthropic: 6 models" in run
    assert "gpt-5 ask gpt-5-at-openai → " in run
    assert "At most $2.50 a day" in run
    assert "waggle serve" in run
    assert "curl http://127.0.0.1:8000/v1/chat/completions" in run
    assert load(FILE).keys.limits.dollars_per_day == 2.5


def test_it_asks_before_it_writes(stands):
    stands("openai", dialects.openai())
    run = init(answers="n\nn\n")
    assert run.exit_code == 1
    assert "Write waggle.yaml? [Y/n]" in run.output
    assert "nothing was written" in run.output
    assert not FILE.exists()


def test_where_nobody_can_answer_nothing_is_written(stands):
    stands("openai", dialects.openai())
    run = init(answers="")
    assert run.exit_code == 1
    assert "`waggle init --yes` asks nothing" in run.output
    assert not FILE.exists()


def test_it_asks_before_it_spends_and_says_the_most(stands):
    upstreams = {"openai": stands("openai", dialects.openai())}
    run = words(init(answers="\n\n"))
    assert "Send one short request to each of the models? (this costs at most $0.00" in run
    assert chats(upstreams) == [], "an empty answer spends nothing"
    init("--force", answers="y\ny\n")
    assert chats(upstreams) == ["/v1/chat/completions"] * 3


def test_models_that_refuse_a_request_are_left_out(stands):
    async def refuses_the_strong(wire):
        if wire.path == "/v1/chat/completions" and wire.fields["model"] == "gpt-5":
            text = f"Your organization must be verified. Key: {KEY}"
            await wire.json({"error": {"message": text}}, 403)
        else:
            await dialects.openai()(wire)

    stands("openai", refuses_the_strong)
    run = init("--yes", "--try")
    assert "gpt-5 refused the request (403): Your organization must be verified." in words(run)
    assert set(load(FILE).plans) >= {"gpt-5-mini", "gpt-5-nano"}
    assert "gpt-5" not in load(FILE).plans


def test_a_request_shows_whether_a_model_says_how_sure_it_is(stands):
    """The list of a provider promises probabilities; only an answer proves them."""
    rows = dialects.openai_rows("gpt-4o", "gpt-4o-mini")
    stands("openai", dialects.openai(rows))
    init("--yes")
    assert load(FILE).plans["cascade"].accept.probability == 0.8
    init("--yes", "--try", "--force")
    assert load(FILE).plans["cascade"].accept.judge == "gpt-4o-at-openai"


def test_native_dialects_are_tried_by_the_backends_that_serve_them(stands):
    upstreams = {
        "anthropic": stands("anthropic", dialects.anthropic(), at=""),
        "gemini": stands("gemini", dialects.gemini(), at=""),
    }
    run = init("--yes", "--try")
    assert run.exit_code == 0, run.output
    assert "✗ claude" not in run.output
    assert "✗ gemini" not in run.output
    assert "/v1/messages" in chats(upstreams)


def test_a_bad_key_is_told_and_the_others_go_on(stands):
    stands("openai", dialects.openai(), key="sk-old")
    stands("mistral", dialects.mistral())
    run = init("--yes")
    assert "✗ OpenAI refused the key in OPENAI_API_KEY (401)" in run.output
    assert run.exit_code == 0
    assert {each.api_key for each in load(FILE).backends.values()} == {"${MISTRAL_API_KEY}"}


def test_if_every_key_is_bad_the_command_fails_and_writes_nothing(stands):
    stands("openai", dialects.openai(), key="sk-old")
    run = init("--yes")
    assert run.exit_code == 1
    assert "no server gave a list of models, and nothing was written" in words(run)
    assert not FILE.exists()


def test_an_existing_file_is_neither_replaced_nor_is_anybody_asked(stands):
    upstream = stands("openai", dialects.openai())
    FILE.write_text("mine")
    run = init("--yes")
    assert run.exit_code == 2
    assert "waggle.yaml is there already" in words(run)
    assert FILE.read_text() == "mine"
    assert upstream.seen == []


def test_force_keeps_every_file_that_it_replaces(stands):
    stands("openai", dialects.openai())
    for text, copy in (("first", "waggle.yaml.1"), ("second", "waggle.yaml.2")):
        FILE.write_text(text)
        assert f"The file that was there is now {copy}." in words(init("--yes", "--force"))
    assert FILE.with_name("waggle.yaml.1").read_text() == "first"
    assert FILE.with_name("waggle.yaml.2").read_text() == "second"
    assert load(FILE).backends


def test_a_link_is_kept_as_it_is_and_its_target_too(stands, tmp_path):
    stands("openai", dialects.openai())
    (tmp_path / "elsewhere.yaml").write_text("precious")
    FILE.symlink_to("elsewhere.yaml")
    assert init("--yes").exit_code == 2
    assert init("--yes", "--force").exit_code == 0
    assert (tmp_path / "elsewhere.yaml").read_text() == "precious"
    assert FILE.with_name("waggle.yaml.1").is_symlink()


def test_only_takes_what_it_names(stands):
    three_and_a_local_one(stands)
    init("--yes", "--only", "ollama", "--only", "gpt-4o-mini")
    assert {plan for plan in load(FILE).plans if plan != "cascade"} == {
        "llama3.2", "llava-13b", "gpt-4o-mini",
    }  # fmt: skip


def test_only_refuses_what_names_nothing(stands):
    stands("openai", dialects.openai())
    run = init("--yes", "--only", "gtp-5")
    assert run.exit_code == 2
    assert "--only gtp-5 names no server that answered and no model" in words(run)


def test_models_without_a_price_are_left_out_and_told(stands):
    stands("groq", dialects.openai({"data": [{"id": "strange-1"}]}))
    stands("openai", dialects.openai())
    run = words(init("--yes"))
    assert "Left out, without a known price: strange-1 (Groq)" in run
    assert "strange-1" not in FILE.read_text()
    init("--yes", "--force", "--only", "strange-1")
    assert load(FILE).backends["strange-1-at-groq"].price is None
    run = words(init("--yes", "--force", "--only", "strange-1"))
    assert "warning strange-1-at-groq (strange-1):" in run, "what `waggle check` warns of"
    assert "price: unknown" in FILE.read_text()


def test_all_takes_every_model_that_chats_and_has_a_price(stands):
    stands("openai", dialects.openai())
    init("--yes", "--all")
    models = {backend.model for backend in load(FILE).backends.values()}
    assert {"gpt-4o", "gpt-4o-2024-08-06", "gpt-5-mini"} <= models
    assert not {"whisper-1", "dall-e-3", "gpt-5-pro"} & models


def test_a_single_local_model_makes_a_file_without_a_cascade_or_a_bound(stands):
    stands("llamacpp", dialects.llamacpp())
    run = words(init("--yes"))
    config = load(FILE)
    assert list(config.plans) == ["Llama-3.1-8B-Instruct-Q4_K_M"]
    assert config.keys.limits.dollars_per_day is None
    assert "no request costs a dollar" in run


def test_a_listed_name_cannot_read_the_environment(stands, environment):
    environment.setenv("OTHER_SECRET", "hidden")
    rows = dialects.openai_rows("${OTHER_SECRET}", "fine-1", owner="vllm")
    stands("vllm", dialects.openai(rows, key=""), key="")
    stands("openai", dialects.openai())
    init("--yes")
    assert "hidden" not in str(load(FILE))
    assert "OTHER_SECRET" not in FILE.read_text()


@pytest.mark.skipif(not ALL_FREE, reason="a server listens at a usual port of this machine")
def test_without_keys_and_servers_it_says_so_and_what_answers_instead(environment):
    for provider in PROVIDERS:
        if provider.local:
            environment.delenv(provider.urls[0])
    run = init("--yes")
    assert run.exit_code == 0
    assert "No key of a model provider is in the environment" in words(run)
    assert "`waggle serve` answers with a small model that comes with Waggle" in words(run)
    assert not FILE.exists()
    assert notice({}) == ""


def test_a_start_without_a_file_says_in_two_lines_what_could_be_used(stands):
    upstreams = {"ollama": stands("ollama", dialects.ollama())}
    text = notice({
        "OPENAI_API_KEY": KEY, "GOOGLE_API_KEY": KEY, "OLLAMA_HOST": upstreams["ollama"].url,
        **{each.urls[0]: "http://127.0.0.1:9" for each in PROVIDERS if each.name in LOCAL},
    } | {"OLLAMA_HOST": upstreams["ollama"].url})  # fmt: skip
    first, second = text.splitlines()
    assert first.startswith("Found OPENAI_API_KEY, GOOGLE_API_KEY and Ollama at 127.0.0.1:")
    assert "nothing is spent unasked" in first
    assert "`waggle init`" in second
    assert KEY not in text
    assert chats(upstreams) == []
