"""The compose file keeps to loopback and to keys, and the dashboard asks for what there is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from router.keys import load_keys
from tests.rig import rig
from tests.shipping.metrics import labels_of, metrics_of, queried

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
DASHBOARD = json.loads((FOLDER / "grafana" / "waggle.json").read_text())
WAGGLE = Path(sys.executable).with_name("waggle")


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_loopback_only(name):
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:"), f"{name} publishes {port} to the network"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_gains_rights(name):
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists(name):
    for volume in SERVICES[name].get("volumes", ()):
        source = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", volume).split(":")[0]
        if source.startswith("."):
            assert (FOLDER / source).resolve().is_file(), source


def test_passwords_come_from_the_environment():
    settings = SERVICES["grafana"]["environment"]
    assert settings["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_PASSWORD:?")


@pytest.fixture
def first_keys(tmp_path):
    data, scrape = tmp_path / "data", tmp_path / "scrape"
    scrape.mkdir()

    def run():
        places = {"WAGGLE_DATA_FOLDER": str(data), "WAGGLE_SCRAPE_FOLDER": str(scrape)}
        environment = {**os.environ, **places, "PATH": f"{WAGGLE.parent}:{os.environ['PATH']}"}
        command = ["sh", str(FOLDER / "first_keys.sh")]
        subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
        return (data / "first.key").read_text().strip(), (scrape / "key").read_text().strip()

    run.data, run.scrape = data, scrape
    return run


async def test_the_first_start_makes_a_key_for_a_person_and_a_key_that_only_reads(first_keys):
    person, prometheus = first_keys()
    assert first_keys() == (person, prometheus), "the second start made other keys"
    assert (first_keys.data / "first.key").stat().st_mode & 0o077 == 0
    assert (first_keys.scrape / "key").stat().st_mode & 0o444 == 0o444
    keys = load_keys(first_keys.data / "keys.json")
    text = "backends: {g: {kind: generator}}\nplans: {p: {ask: g}}\n"
    job = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]
    assert job["authorization"] == {"credentials_file": "/run/waggle/key"}
    assert "scrape:/run/waggle:ro" in SERVICES["prometheus"]["volumes"]
    async with rig(text, keys=keys) as r:
        for key, path, status in (
            (prometheus, job["metrics_path"], 200),
            (prometheus, "/v1/models", 403),
            (person, "/v1/models", 200),
            ("", job["metrics_path"], 401),
        ):
            answer = await r.get(path, authorization=f"Bearer {key}")
            assert answer.status == status, path


def test_every_panel_asks_for_something():
    assert len(DASHBOARD["panels"]) >= 10
    assert all(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"waggle"}


def test_a_query_for_what_is_not_there_would_be_noticed():
    text = 'waggle_requests_total{plan="a",router="r"} 1.0\n# HELP waggle_wrong_total x\n'
    query = 'sum by (team) (rate(waggle_wrong_total{plan!=""}[5m]))'
    assert metrics_of(query) == {"waggle_wrong_total"}
    assert labels_of(query) == {"team", "plan"}
    assert queried(text) == ({"waggle_requests_total"}, {"plan", "router"})
