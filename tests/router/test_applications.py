"""Which process runs which backend, and what a deployment changes without failing a request."""

import pytest
import yaml
from pydantic import ValidationError

from router.config.config import Config
from router.deployment.applications import application_of, is_ours, placed, serve_config

TEXT = """
backends:
  gpt: {kind: openai, base_url: "http://127.0.0.1:9/v1"}
  claude: {kind: anthropic, model: claude-9}
  busy: {kind: openai, base_url: "http://127.0.0.1:9/v1", replicas: {min: 2, max: 2}}
  alone: {kind: openai, base_url: "http://127.0.0.1:9/v1", process: own}
  roomy: {kind: generator, replica_memory_mb: 4096}
  made: {kind: generator}
  checked: {kind: validator}
  sandbox: {kind: sandbox}
  encoder: {kind: encoder, process: own}
plans: {p: {ask: gpt}}
"""


def config_of(text=TEXT):
    return Config.model_validate(yaml.safe_load(text))


def members(config, **more):
    return {
        each["name"]: [*each["deployments"][0]["user_config"]["backends"]]
        for each in serve_config(config, [], **more)["applications"][1:]
    }


def test_small_backends_with_usual_replicas_share_a_process_and_all_others_have_their_own():
    assert members(config_of()) == {
        "waggle-shared-network": ["gpt", "claude"],
        "waggle-backend-busy": ["busy"],
        "waggle-backend-alone": ["alone"],
        "waggle-backend-roomy": ["roomy"],
        "waggle-shared-programs": ["made", "checked", "sandbox"],
        "waggle-backend-encoder": ["encoder"],
    }
    assert all(map(is_ours, members(config_of())))


def test_a_backend_that_changes_its_process_runs_in_both_until_routers_have_moved():
    shared = config_of()
    apart = config_of(TEXT.replace("claude-9}", "claude-9, process: own}"))
    assert placed(apart) - placed(shared) == {("claude", "waggle-backend-claude")}
    both = members(apart, backends_of=shared)
    assert both["waggle-shared-network"] == ["gpt", "claude"]
    assert both["waggle-backend-claude"] == ["claude"]
    assert "waggle-backend-claude" in members(shared, backends_of=apart)
    assert application_of("claude", apart.backends["claude"]) == "waggle-backend-claude"


def test_what_cannot_share_a_process_says_so():
    with pytest.raises(ValidationError, match="process = shared: needs a small kind, and replicas"):
        config_of(TEXT.replace("min: 2, max: 2}", "min: 2, max: 2}, process: shared"))
