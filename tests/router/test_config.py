"""The configuration: what is read from a file, and how its mistakes are reported."""

from pathlib import Path

import pytest

from router.catalog import FREE
from router.config.config import Config
from router.config.load import EMBEDDED, at_home, load, secrets_of
from router.config.plans import PATTERNS
from router.config.problems import ConfigError

GOOD = """
backends:
  small: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
plans:
  fast: {ask: small}
"""
EXAMPLE = EMBEDDED.parent / "waggle.example.yaml"
SECRETS = dict.fromkeys(
    ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AZURE_KEY_1", "AZURE_KEY_2"), "x"
)


def read(tmp_path, text, **environ):
    path = tmp_path / "waggle.yaml"
    path.write_text(text)
    return load(path, environ)


def problems(tmp_path, text, **environ):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text, **environ)
    return {problem.key: problem for problem in error.value.problems}


def test_the_embedded_default_and_the_example_are_valid():
    plans = ["generate", "records", "compute", "ask-ethereum", "ask-football", "small"]
    assert list(load(EMBEDDED, {}).plans) == plans
    example = load(EXAMPLE, SECRETS)
    assert {plan.pattern for plan in example.plans.values()} == set(PATTERNS)


def test_the_defaults_in_the_example_are_the_defaults():
    example = load(EXAMPLE, SECRETS)
    large, plain = example.backends["cloud-large"], load(EMBEDDED, {})
    generator = plain.backends["generator"]
    for name in ("timeouts", "retry", "breaker", "concurrency", "queue", "queue_seconds"):
        assert getattr(large, name) == getattr(generator, name), name
    assert example.server == plain.server
    assert example.keys == plain.keys
    assert example.telemetry == plain.telemetry
    ladder, default = example.objective.ladder, plain.objective.ladder
    assert ladder.all_weights == default.all_weights


def test_all_mistakes_are_reported_at_once_each_with_its_line(tmp_path):
    text = """
server:
  prot: 8000
  port: 99999
backends:
  small:
    kind: openai
    base_url: ftp://x
  odd: {kind: opnai}
plans:
  fast: {ask: smal}
"""
    mistakes = problems(tmp_path, text)
    assert {key: problem.line for key, problem in mistakes.items()} == {
        "server.prot": 3,
        "server.port": 4,
        "backends.small.base_url": 8,
        "backends.odd.kind": 9,
        "plans.fast.ask": 11,
    }
    assert mistakes["server.prot"].mend == "Did you mean port?"
    assert mistakes["plans.fast.ask"].mend == "Did you mean small?"
    assert mistakes["server.port"].value == "99999"
    assert "65535" in mistakes["server.port"].rule
    assert "`generator`" in mistakes["backends.odd.kind"].mend


@pytest.mark.parametrize(
    ("change", "key", "rule"),
    [
        ("objective: {strategy: fixed}", "objective.strategy", "needs to know its plan"),
        ("objective: {strategy: fixed, plan: x}", "objective.plan", "no plan is called that"),
        ("objective: {ladder: {cuts: [6, 3]}}", "objective.ladder.cuts", "cuts must rise"),
        ("objective: {ladder: {cuts: [3]}}", "objective.ladder.cuts", "1 rungs need 0 cuts"),
        ("objective: {ladder: {weights: {fields: 2}}}", "objective.ladder.weights.fields", "1"),
        ("server: {port: abc}", "server.port", "valid integer"),
        ("servers: {}", "servers", "nothing reads this key"),
        ("keys: {file: '${NOPE}'}", "keys.file", "NOPE is not set"),
        ("objective: {ladder: {rungs: [slow]}}", "objective.ladder.rungs.0", "no plan is called"),
        ("keys: {teams: {a: {parent: b}}}", "keys.teams.a.parent", "no team is called that"),
        ("keys: {teams: {a: {parent: a}}}", "keys.teams.a.parent", "part of itself: a → a"),
        ("keys: {tags: {t: {teams: [a]}}}", "keys.tags.t.teams.0", "no team is called that"),
        ("keys: {tags: {'a,b': {}}}", "keys.tags.a,b", "a tag is 1 to 64 printable characters"),
    ],
)
def test_a_mistake_names_its_place_and_its_rule(tmp_path, change, key, rule):
    mistakes = problems(tmp_path, GOOD + change)
    assert rule in mistakes[key].rule
    assert mistakes[key].mend
    assert mistakes[key].line == 6


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path):
    text = GOOD.replace('/v1"', '/v1", api_key: sk-topsecret')
    problem = problems(tmp_path, text)["backends.small.api_key"]
    assert "environment" in problem.mend
    assert "topsecret" not in str(problem)


def test_a_secret_stays_a_reference(tmp_path):
    text = GOOD.replace('/v1"', "/v1\", api_key: '${SMALL_KEY}'")
    config = read(tmp_path, text, SMALL_KEY="sk-topsecret")
    assert "topsecret" not in config.model_dump_json()
    assert secrets_of(config) == ("SMALL_KEY",)


def test_a_secret_that_is_not_in_the_environment_is_a_mistake(tmp_path):
    text = GOOD.replace('/v1"', "/v1\", api_key: '${SMALL_KEY}'")
    assert "SMALL_KEY is not set" in problems(tmp_path, text)["backends.small.api_key"].rule


def test_the_environment_is_filled_in_with_defaults(tmp_path):
    text = GOOD + "server: {port: '${PORT:-8123}', data: '${HOME}/w'}"
    config = read(tmp_path, text, HOME="/home/bee")
    assert (config.server.port, config.server.data) == (8123, "/home/bee/w")
    assert read(tmp_path, text, HOME="/", PORT="1").server.port == 1


def test_a_key_that_stands_twice_is_a_mistake(tmp_path):
    text = GOOD + "server: {port: 1}\nserver: {port: 2}\n"
    assert "twice, first in line 6" in problems(tmp_path, text)["server"].rule


@pytest.mark.parametrize("text", ["a: [", "\t", "a: b: c", "- 1", "just text", ""])
def test_a_text_that_is_no_configuration_is_refused(tmp_path, text):
    assert problems(tmp_path, text)


def test_a_missing_file_is_refused_without_a_line():
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: file = nowhere\.yaml: cannot be read"):
        load(Path("nowhere.yaml"), {})


@pytest.mark.parametrize(
    "expert",
    [
        "{ask: ball}",
        "{pipeline: [small, ball]}",
        "{cascade: [ball, small], accept: {schema: true}}",
        "{refine: {draft: ball, critic: small}}",
        "{hedge: [{pipeline: [small, ball]}, small]}",
        "{code: box}",
    ],
)
def test_a_plan_that_no_ladder_chooses_needs_no_cut(tmp_path, expert):
    text = GOOD.replace("plans:", "  ball: {kind: specialist, folder: shipped:football}\nplans:")
    text = text.replace("plans:", "  box: {kind: sandbox}\nplans:")
    text += f"  expert: {expert}\nobjective: {{ladder: {{cuts: []}}}}"
    assert read(tmp_path, text).asking == ("fast",)


@pytest.mark.parametrize("name", ["auto", "a b", "ä", "x\ny", "-x"])
def test_a_name_with_another_meaning_is_refused(tmp_path, name):
    text = GOOD.replace("fast:", f"{name!r}:")
    assert problems(tmp_path, text)


def test_the_schema_for_editors_describes_every_kind_of_backend():
    schema = Config.model_json_schema()
    assert {"OpenAISettings", "GeneratorSettings", "EncoderSettings"} <= set(schema["$defs"])


def test_a_configuration_goes_through_json_unchanged():
    config = load(EXAMPLE, SECRETS)
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_a_header_for_a_collector_comes_from_the_environment_only(tmp_path):
    text = """
telemetry:
  otlp:
    endpoint: http://127.0.0.1:4318
    headers: {authorization: Bearer-abc}
backends: {g: {kind: generator}}
plans: {p: {ask: g}}
"""
    mistakes = problems(tmp_path, text)
    mistake = mistakes["telemetry.otlp.headers.authorization"]
    assert mistake.value == "(hidden)"
    assert mistake.rule == "a secret may not be written here"
    path = tmp_path / "good.yaml"
    path.write_text(text.replace("Bearer-abc", '"${OTLP_TOKEN}"'))
    config = load(path, {"OTLP_TOKEN": "t"})
    assert config.telemetry.otlp.headers == {"authorization": "${OTLP_TOKEN}"}
    assert secrets_of(config) == ("OTLP_TOKEN",)


def test_a_premium_plan_must_exist(tmp_path):
    text = """
backends: {g: {kind: generator}}
plans: {cheap: {ask: g}}
objective: {premium: cheep}
"""
    assert problems(tmp_path, text)["objective.premium"].mend == "Did you mean cheap?"


def test_folders_are_absolute_for_a_replica_that_runs_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "waggle.yaml").write_text(
        "server: {data: here}\n"
        "backends:\n  s: {kind: specialist, folder: docs}\n  m: {kind: local, models: {t: tiny}}\n"
        "plans:\n  p: {ask: s}\n"
    )
    config = at_home(load(tmp_path / "waggle.yaml", {}))
    assert config.backends["s"].folder == str(tmp_path / "docs")
    assert config.backends["s"].home == str(tmp_path / "here" / "specialists" / "s")
    assert config.backends["m"].models == {"t": str(tmp_path / "tiny")}


MODELS = """
backends:
  gpt: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o}
  stated: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o,
         price: {input: 7, output: 8}, context_window: 1000, capabilities: [chat]}
  unstated: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o, price: null}
  mine: {kind: openai, base_url: "http://127.0.0.1:1/v1", model: gpt-4o}
  records: {kind: generator}
plans: {p: {ask: gpt}}
"""


def test_the_table_fills_in_what_the_file_leaves_out(tmp_path):
    backends = read(tmp_path, MODELS).backends
    gpt, stated, mine = backends["gpt"], backends["stated"], backends["mine"]
    assert (gpt.price.input, gpt.price.output, gpt.context_window) == (2.5, 10, 128_000)
    assert "images" in gpt.capabilities
    assert (stated.price.input, stated.context_window, stated.capabilities) == (7, 1000, ("chat",))
    assert backends["unstated"].price is None  # the file says that nobody knows it
    assert (mine.price, mine.context_window) == (None, None)
    assert mine.capabilities == ("chat", "tools", "json")
    assert backends["records"].price == FREE
