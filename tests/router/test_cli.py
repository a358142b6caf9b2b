"""Commands that need no running service: what they print, and how they report errors."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.config.environment import TOKEN_VARIABLE

GOOD = """
server: {data: DATA}
backends:
  small: {kind: openai, base_url: "http://127.0.0.1:1/v1", api_key: "${SMALL_KEY}"}
  large: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
plans: {fast: {ask: small, fallback: [large]}, premium: {ask: large}}
"""


@pytest.fixture
def waggle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMALL_KEY", "sk-topsecret")
    monkeypatch.setenv(TOKEN_VARIABLE, "t")
    (tmp_path / "waggle.yaml").write_text(GOOD.replace("DATA", str(tmp_path / "var")))
    return lambda *args: CliRunner().invoke(app, [*args])


def without_lines(output):
    """The words of a printed tree, without the drawn lines and the line breaks."""
    return " ".join(output.translate(dict.fromkeys(map(ord, "│├└─"), " ")).split())


@pytest.mark.parametrize(
    "words",
    [
        ["\x1b[31mx"],
        ["--\x1b[31mx"],
        ["sql", "--\x1b[31mx"],
        ["sql", "--format", "\x1b[31mx"],
        ["keys", "\x1b[31mx"],
        ["serve", "\x1b[31mx"],
    ],
)
def test_an_error_of_usage_shows_control_characters_instead_of_sending_them(waggle, words):
    run = waggle(*words)
    assert run.exit_code == 2
    assert r"\x1b[31mx" in run.output
    assert "\x1b" not in run.output


def test_help_names_every_command(waggle):
    text = waggle("--help").output
    for name in ("serve", "check", "ask", "status", "stop", "reload", "deploy", "doctor", "keys"):
        assert name in text


def test_a_command_imports_only_its_own_file():
    start = "import sys; from router.cli.main import app; app(['status'], standalone_mode=False)"
    imported = "; print(*(name for name in sys.modules if name.startswith('router.cli.')))"
    refused = "try: exec(sys.argv[1])\nexcept BaseException: pass\n"
    script = f"import sys\n{refused}{imported[2:]}"
    run = subprocess.run([sys.executable, "-c", script, start], capture_output=True, text=True)
    assert "router.cli.status" in run.stdout.split()
    assert "router.cli.trial" not in run.stdout.split()


def test_a_slip_of_the_pen_is_met_by_the_right_name(waggle):
    assert "Did you mean 'serve'?" in waggle("serv").output


def test_the_version_is_that_of_the_package(waggle):
    assert waggle("--version").output == version("waggle") + "\n"


def test_check_shows_what_would_run(waggle):
    result = waggle("check")
    assert result.exit_code == 0
    assert "fast ask small → large" in result.output
    assert "from 4.5 premium" in result.output
    assert "loopback only" in result.output
    assert "topsecret" not in result.output


@pytest.mark.parametrize(
    ("objective", "strategy"),
    [
        ("{}", "ladder on complexity 0-10: fast, from 4.5 premium"),
        ("{strategy: fixed, plan: premium}", "always premium"),
        (
            "{strategy: bandit}",
            "bandit over fast, premium; "
            "until it has learned, ladder on complexity 0-10: fast, from 4.5 premium",
        ),
        (
            "{strategy: bandit, plan: premium}",
            "bandit over fast, premium; until it has learned, always premium",
        ),
    ],
)
def test_check_names_the_strategy_and_the_plans_it_chooses_among(
    waggle, tmp_path, objective, strategy
):
    with (tmp_path / "waggle.yaml").open("a") as file:
        file.write(f"objective: {objective}\n")
    assert f"strategy {strategy} keys none" in without_lines(waggle("check").output)


def test_check_names_the_plans_of_the_embedded_default_that_no_strategy_chooses(waggle, tmp_path):
    (tmp_path / "waggle.yaml").unlink()
    output = without_lines(waggle("check").output)
    assert "strategy bandit over generate, records; until it has learned, ladder" in output
    assert "a request that a program can answer goes to compute" in output
    assert "a question that documents answer goes to ask-ethereum, ask-football" in output


def test_check_names_an_adopted_strategy_that_decides_instead(waggle):
    waggle("trial", "new", "dearer", "--candidate", "always-premium")
    waggle("trial", "adopt", "dearer", "--at-once")
    output = without_lines(waggle("check").output)
    assert "a trial's strategy was adopted and decides instead: always-premium" in output


UNPRICED = """
backends:
  local: {kind: openai, base_url: "http://127.0.0.1:11434/v1", model: "llama3.2:3b"}
  alpha: {kind: openai, base_url: "https://models.example.com/v1", model: alpha-1}
  beta: {kind: openai, base_url: "https://models.example.com/v1", model: beta-1}
  gamma: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o-of-tomorrow}
plans: {a: {ask: local}, b: {ask: alpha}, c: {ask: beta}, d: {ask: gamma}}
"""


def warnings_of(output):
    return [line for line in output.splitlines() if line.startswith("warning")]


def test_check_warns_of_each_model_without_a_price_and_says_the_mend(waggle, tmp_path):
    (tmp_path / "waggle.yaml").write_text(UNPRICED)
    result = waggle("check")
    assert result.exit_code == 0
    local, *cloud = warnings_of(result.output)
    assert "free only if you say so" in local
    assert "Write below backends.local: `price: {input: 0, output: 0}`" in local
    assert len(cloud) == 3
    for name, warning in zip(("alpha", "beta", "gamma"), cloud, strict=True):
        assert warning.startswith(f"warning  {name} (")
        assert "its price is unknown" in warning
        assert "chat, tools, json are assumed, not images" in warning
        assert f"backends.{name}: `price: {{input: DOLLARS, output: DOLLARS}}`" in warning


def test_check_says_what_a_budget_leaves_out(waggle, tmp_path):
    budget = "objective: {strategy: bandit, budget: {dollars_per_day: 5}}"
    (tmp_path / "waggle.yaml").write_text(UNPRICED + budget)
    *_, last = warnings_of(waggle("check").output)
    assert "objective.budget: the cost of local, alpha, beta, gamma is unknown" in last


def test_check_shows_what_is_known_of_a_model_and_where_it_is_from(waggle, tmp_path):
    (tmp_path / "waggle.yaml").write_text("""
backends:
  gpt: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o}
  mine: {kind: openai, base_url: "http://127.0.0.1:1/v1", model: m,
         price: {input: 0, output: 0}, context_window: 4096, capabilities: [chat]}
  part: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o, context_window: 99}
plans: {a: {ask: gpt}, b: {ask: mine}, c: {ask: part}}
""")
    result = waggle("check")
    assert warnings_of(result.output) == []
    rows = " ".join(result.output.replace("│", " ").split())
    assert "gpt gpt-4o 2.5, 10; 128,000 chat, tools, table" in rows
    assert "0, 0 4,096 chat file" in rows
    assert "context file, abilities table" in rows


def test_check_warns_of_a_plan_that_asks_for_another_model_than_is_priced(waggle, tmp_path):
    (tmp_path / "waggle.yaml").write_text("""
backends: {gpt: {kind: openai, base_url: "https://api.openai.com/v1", model: gpt-4o}}
plans: {a: {ask: gpt}, b: {ask: gpt, model: gpt-4o-mini}}
""")
    (warning,) = warnings_of(waggle("check").output)
    assert "asks gpt for gpt-4o-mini, and its costs are those of gpt-4o" in warning


def test_check_reports_every_problem_and_exits_with_2(waggle, tmp_path):
    (tmp_path / "waggle.yaml").write_text("backends: {a: {kind: x}}\nplans: {p: {ask: b}}\nz: 1\n")
    result = waggle("check")
    assert result.exit_code == 2
    assert "3 problems. Nothing was started" in result.output
    assert "waggle.yaml:2 plans.p.ask = b: no backend is called that" in result.output


def test_the_schema_is_json_for_editors(waggle):
    schema = json.loads(waggle("check", "--schema").output)
    assert set(schema["required"]) == {"backends"}


@pytest.mark.filterwarnings("ignore")  # Ray warns when it is imported
def test_deploy_prints_a_config_for_serve_without_secrets(waggle):
    result = waggle("deploy", "--print")
    assert "SMALL_KEY" in result.output
    assert "RAY_SERVE_ENABLE_HA_PROXY=1" in result.output
    assert "topsecret" not in result.output
    config = yaml.safe_load(result.output)
    assert [a["name"] for a in config["applications"]] == [
        "waggle",
        "waggle-shared-network",
    ]
    shared = config["applications"][1]["deployments"][0]
    assert (shared["name"], [*shared["user_config"]["backends"]]) == ("network", ["small", "large"])
    assert config["http_options"] == {"host": "127.0.0.1", "port": 8000}


def test_a_key_is_made_listed_and_revoked(waggle, tmp_path):
    made = waggle("keys", "new", "alice", "--rpm", "5", "--plan", "fast", "--dollars", "1.5")
    key = made.output.splitlines()[0]
    listed = waggle("keys", "list").output
    assert key.startswith("wg-")
    assert "alice" in listed
    assert key.split("-")[2] not in listed
    assert key.split("-")[2] not in (tmp_path / "var" / "keys.json").read_text()
    assert waggle("keys", "new", "alice").exit_code == 2
    assert waggle("keys", "revoke", "alice").exit_code == 0
    assert waggle("keys", "revoke", "alice").exit_code == 2


def test_a_key_changes_its_limits_and_its_team_and_keeps_its_secret(waggle, tmp_path):
    made = waggle("keys", "new", "alice", "--rpm", "5", "--dollars", "1.5")
    before = json.loads((tmp_path / "var" / "keys.json").read_text())[0]
    changed = waggle("keys", "change", "alice", "--rpm", "0", "--dollars-per-month", "9")
    [after] = json.loads((tmp_path / "var" / "keys.json").read_text())
    assert (made.exit_code, changed.exit_code) == (0, 0)
    assert after["digest"] == before["digest"]
    assert after["limits"] == {
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "dollars_per_day": 1.5,
        "dollars_per_month": 9.0,
        "unpriced": "refuse",
    }
    assert "nothing to change" in waggle("keys", "change", "alice").output


@pytest.mark.parametrize("command", [("new", "bob"), ("change", "alice")])
def test_a_team_that_is_not_configured_is_refused(waggle, command):
    waggle("keys", "new", "alice")
    result = waggle("keys", *command, "--team", "nobody")
    assert result.exit_code == 2
    assert "no such team; keys.teams has: none" in result.output


def test_a_key_of_a_team_that_was_taken_out_is_a_mistake(waggle, tmp_path):
    waggle("keys", "new", "alice")
    path = tmp_path / "var" / "keys.json"
    path.write_text(path.read_text().replace('"team": ""', '"team": "gone"'))
    result = waggle("check")
    assert result.exit_code == 2
    assert "key alice is of team gone, and keys.teams has no such team" in result.output
    assert "waggle keys change alice --team NAME" in result.output


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("a b",), "name = 'a b': a name is at most 64 letters, digits, `.`, `_` and `-`"),
        (("x", "--plan", "slow"), "no such plan"),
        (("x", "--rpm", "0"), "requests_per_minute"),
        (("x", "--scope", "god"), "scopes"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(waggle, args, reason):
    result = waggle("keys", "new", *args)
    assert result.exit_code == 2
    assert reason in result.output


@pytest.mark.parametrize("command", [("list",), ("new", "bob"), ("revoke", "bob")])
def test_a_broken_key_file_is_refused_and_stays(waggle, tmp_path, command):
    (tmp_path / "var").mkdir()
    keys = tmp_path / "var" / "keys.json"
    keys.write_text("{")
    result = waggle("keys", *command)
    assert result.exit_code == 2
    assert "is not a key file" in result.output
    assert keys.read_text() == "{"


def test_a_port_that_cannot_be_is_refused(waggle):
    result = waggle("serve", "--port", "99999")
    assert result.exit_code == 2
    assert "port = 99999: Input should be less than or equal to 65535" in result.output


def test_a_data_folder_that_cannot_be_made_is_refused(waggle, tmp_path):
    (tmp_path / "file").touch()
    result = waggle("serve", "--data", str(tmp_path / "file" / "var"))
    assert result.exit_code == 2
    assert "cannot be made: Not a directory" in " ".join(result.output.split())


@pytest.mark.parametrize("command", [("ask", "hi"), ("scores",)])
def test_an_address_that_cannot_be_is_refused(waggle, command):
    result = waggle(*command, "--url", "http://127.0.0.1:abc")
    assert result.exit_code == 2
    assert "--url http://127.0.0.1:abc is no address" in result.output


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:99999"])
def test_a_ray_cluster_that_cannot_be_reached_is_refused_at_once(waggle, address):
    result = waggle("serve", "--ray-address", address)
    assert result.exit_code == 1
    assert result.output.startswith(f"waggle: --ray-address {address} cannot be reached (")
    assert "`ray start --head`" in result.output


def test_the_network_is_not_opened_without_a_key(waggle):
    result = waggle("serve", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert "waggle keys new" in result.output


@pytest.mark.parametrize("command", ["status", "stop", "reload"])
def test_commands_for_a_service_say_when_there_is_none(waggle, command):
    result = waggle(command)
    assert result.exit_code == 1
    assert "start one with `waggle serve`" in result.output


def test_ask_with_an_url_needs_no_configuration(waggle, tmp_path):
    (tmp_path / "waggle.yaml").write_text("backends: 3\n")
    result = waggle("ask", "hi", "--url", "http://127.0.0.1:9")
    assert "cannot be reached" in result.output


def test_a_server_that_is_not_waggle_is_named(waggle):
    with plain_server() as url:
        result = waggle("scores", "--url", url)
    assert result.exit_code == 1
    assert f"{url}/v1/learner answered 501 without JSON" in " ".join(result.output.split())


class Silent(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def plain_server():
    """An HTTP server that is not Waggle."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_weeks_of_the_demo_use_the_data_folder_of_the_config(waggle, tmp_path):
    config, folder = tmp_path / "other.yaml", tmp_path / "mine" / "weeks"
    config.write_text(GOOD.replace("DATA", str(folder.parent)))
    folder.mkdir(parents=True)
    (folder / "diary.txt").touch()
    result = waggle("demo", "--weeks", "1", "--requests", "50", "-c", str(config))
    assert result.exit_code == 2
    assert f"{folder} holds something else: give another --data" in result.output


def test_ask_says_when_nobody_is_there(waggle):
    result = waggle("ask", "hi", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "cannot be reached" in result.output


def test_doctor_names_what_specialists_and_models_lack(waggle, tmp_path):
    (tmp_path / "d.yaml").write_text(
        "backends:\n  s: {kind: specialist, folder: 'shipped:football'}\n"
        "  m: {kind: local, models: {tiny: /nowhere}}\nplans:\n  p: {ask: s}\n"
    )
    output = " ".join(waggle("doctor", "-c", str(tmp_path / "d.yaml")).output.split())
    assert "waggle specialist refresh" in output
    assert "no config.json in /nowhere" in output


def test_doctor_finds_nothing_bad_here(waggle):
    result = waggle("doctor")
    assert result.exit_code == 0
    assert "HAProxy ingress" in result.output


def test_check_shows_plans_as_trees_with_what_they_may_cost(waggle, tmp_path):
    (tmp_path / "plans.yaml").write_text(
        """
backends:
  small: {kind: openai, base_url: "http://127.0.0.1:1", price: {input: 1, output: 2}}
  large: {kind: openai, base_url: "http://127.0.0.1:1", price: {input: 10, output: 20}}
plans:
  cheap:
    cascade: [small, {hedge: [large, small]}]
    accept: {judge: small, rules: ["a < b"]}
    max_cost: 0.5
  fixed:
    refine: {draft: cheap, critic: small, max: 2}
"""
    )
    result = waggle("check", "-c", str(tmp_path / "plans.yaml"))
    assert result.exit_code == 0, result.output
    output = without_lines(result.output)
    assert "cascade, until a < b and small gives 0.7; at most $0.5" in output
    # A call of small costs $0.0011, a call of large $0.011. The least is small and its judge; the
    # most adds the hedge of both.
    assert "2 to 4 calls, $2.2 to $14.3 per 1000" in output
    assert "1 hedge" in output
    assert "accept: small" in output
    assert "refine until small gives 0.8, mended 2 times at most" in output


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("{cascade: [small, nobody], accept: {judge: small}}", "plans.p.cascade.1 = nobody"),
        ("{cascade: [small, small], accept: {}}", "a check needs a condition"),
        ("{cascade: [small], accept: {judge: small}}", "plans.p.cascade"),
        ("{fan_out: [small, small], merge: best}", "`by` names the backend"),
        ("{fan_out: [small, small], merge: vote, quorum: 3}", "can never arrive"),
        ("{pipeline: [small, {fan: [small]}]}", "a step is the name of a backend or plan"),
        ("{pipeline: [small, 3]}", "a step is the name of a backend or plan"),
        ("{pipeline: [p]}", "leads back to itself: p → p"),
        ("{ask: small, gate: {rules: ['a <']}}", "is no rule"),
        ("{ask: small, gate: {validator: small}}", "of kind validator"),
        ("{refine: {draft: small, critic: nobody}}", "plans.p.refine.critic = nobody"),
        ("{hedge: [small, small], afterms: 3}", "Did you mean after_ms?"),
        ("{ask: small, max_cost: -1}", "plans.p.max_cost"),
    ],
)
def test_a_plan_that_cannot_be_is_explained_by_its_place(waggle, tmp_path, plan, reason):
    (tmp_path / "w.yaml").write_text(
        'backends:\n  small: {kind: openai, base_url: "http://127.0.0.1:1"}\n'
        f"plans:\n  p: {plan}\n"
    )
    result = waggle("check", "-c", str(tmp_path / "w.yaml"))
    assert result.exit_code == 2
    assert reason in " ".join(result.output.split()), result.output
