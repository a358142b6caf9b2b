"""What the tables of the overhead say follows from what was measured."""

import copy
import json

import pytest

from experiments.overhead import report
from experiments.overhead.verdicts import added, verdicts
from experiments.readme import ROOT


@pytest.fixture
def result():
    return json.loads((ROOT / "experiments/overhead/result.json").read_text())


def test_the_verdicts_are_those_of_the_figures(result):
    assert verdicts(result) == result["verdicts"]


def test_what_is_added_leaves_out_the_model_server_of_the_same_minute(result):
    before = added(result, "waggle")
    slower = copy.deepcopy(result)
    for target in ("waggle", "direct beside waggle"):
        slower["alone"]["json, 1"][target]["p50"] += 5000
    assert added(slower, "waggle") == pytest.approx(before)


def test_a_figure_beyond_its_target_is_marked_as_missed(result):
    result["kill_backend"]["failed_requests"] = 1
    result["verdicts"] = verdicts(result)
    [row] = [line for line in report.readme_table(result).splitlines() if "killed backend" in line]
    assert row.split(" | ")[1:] == ["1", "<= 0", "**no** |"]


def test_a_gateway_that_was_not_measured_has_no_row(result):
    for figures in (*result["alone"].values(), *result["together"].values()):
        figures.pop("litellm")
    assert "LiteLLM" not in report.speed_table(result)
    assert not any("LiteLLM" in row["what"] for row in verdicts(result))
