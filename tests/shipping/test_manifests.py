"""`waggle deploy` renders the user's waggle.yaml for Kubernetes, without a secret in it."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.config.load import load
from router.keys import Keyring, load_keys
from router.version import version
from tests.described import described

TEXT = """\
# what a person wrote
server: {port: 9000}
backends:
  gpt: {kind: openai, base_url: "https://api.example.com/v1", api_key: "${GPT_KEY}"}
  docs: {kind: specialist, folder: ./docs}
plans: {gpt: {ask: gpt}, docs: {ask: docs}}
telemetry: {otlp: {headers: {authorization: "${OTLP_TOKEN}"}}}
"""
SECRETS = {"GPT_KEY", "OTLP_TOKEN"}


@pytest.fixture
def waggle(tmp_path, monkeypatch):
    (tmp_path / "waggle.yaml").write_text(TEXT)
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.setenv(name, "topsecret")

    def run(*arguments):
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def deployed(waggle):
    """A function that renders the service, which has one key."""
    key = waggle("keys", "new", "me").output.splitlines()[0]

    def render(*arguments):
        result = waggle("deploy", *arguments)
        assert result.exit_code == 0, result.output
        assert "topsecret" not in result.output
        assert key not in result.output
        return result.output, {part["kind"]: part for part in yaml.safe_load_all(result.output)}

    render.key = key
    return render


def secrets_in(container):
    """The variables of a container that come from a Secret, with the Secret's name."""
    rows = [row for row in container["env"] if "valueFrom" in row]
    return {row["name"]: row["valueFrom"]["secretKeyRef"] for row in rows}


def pods(parts):
    if "Deployment" in parts:
        yield parts["Deployment"]["spec"]["template"]["spec"]
    if "RayService" in parts:
        cluster = parts["RayService"]["spec"]["rayClusterConfig"]
        groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
        yield from (group["template"]["spec"] for group in groups)


@pytest.mark.parametrize(
    ("form", "expected"),
    [("deployment", SECRETS), ("rayservice", SECRETS | {"WAGGLE_TOKEN"})],
)
def test_each_secret_of_the_file_comes_from_a_secret_of_the_cluster(deployed, form, expected):
    text, parts = deployed(form, "--workers", "2", "--name", "hive")
    for pod in pods(parts):
        (container,) = pod["containers"]
        references = secrets_in(container)
        assert set(references) == expected
        for name, reference in references.items():
            assert reference == {"name": "hive-secrets", "key": name}
    for name in expected:
        assert f"--from-literal={name}=" in text


@pytest.mark.parametrize("form", ["deployment", "rayservice"])
def test_pods_run_as_a_user_without_rights_and_find_the_exports(deployed, form):
    _, parts = deployed(form, "--workers", "1", "--image", "registry.example/waggle:9")
    for pod in pods(parts):
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["image"] == "registry.example/waggle:9"
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            volumes = {volume["name"] for volume in pod["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        (container,) = pod["containers"]
        settings = {row["name"]: row.get("value") for row in container["env"]}
        assert settings["WAGGLE_ENCODERS"] == "/opt/waggle/encoders"


def test_a_deployment_serves_the_very_file_with_the_very_keys(deployed, tmp_path):
    _, parts = deployed("deployment")
    assert parts["ConfigMap"]["data"]["waggle.yaml"] == TEXT
    stored = tmp_path / "stored.json"
    stored.write_text(parts["Secret"]["stringData"]["keys.json"])
    (pod,) = pods(parts)
    (container,) = pod["containers"]
    assert container["args"][:3] == ["serve", "-c", "/etc/waggle/waggle.yaml"]
    assert container["image"] == f"waggle:{version()}"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 9000, "dashboard": 9050}
    served = {port["name"]: port["port"] for port in parts["Service"]["spec"]["ports"]}
    assert served == ports
    keyring = Keyring(load_keys(stored))
    assert keyring.identify(f"Bearer {deployed.key}").name == "me"


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_for_paths_that_exist(deployed, probe):
    (pod,) = pods(deployed("deployment")[1])
    path = pod["containers"][0][probe]["httpGet"]["path"]
    assert described()["paths"][path]["get"]["security"] == []


@pytest.mark.filterwarnings("ignore")  # Ray warns when it is imported
def test_ray_serve_accepts_what_a_rayservice_holds(deployed):
    from ray.serve.schema import ServeDeploySchema

    _, parts = deployed("rayservice")
    config = yaml.safe_load(parts["RayService"]["spec"]["serveConfigV2"])
    ServeDeploySchema.parse_obj(config)
    assert config["http_options"] == {"host": "0.0.0.0", "port": 9000}
    router = config["applications"][0]["deployments"][0]["user_config"]
    assert router["config"]["server"]["data"] == "/var/lib/waggle/data"
    assert router["config"]["backends"]["gpt"]["api_key"] == "${GPT_KEY}"
    assert [key["name"] for key in router["keys"]] == ["me"]
    assert json.dumps(config).count("topsecret") == 0


def test_workers_share_their_volume(deployed):
    alone, more = deployed("rayservice")[1], deployed("rayservice", "--workers", "3")[1]
    assert alone["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert more["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert alone["RayService"]["spec"]["rayClusterConfig"]["workerGroupSpecs"] == []
    (group,) = more["RayService"]["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert group["replicas"] == 3


def test_folders_that_pods_need_are_named(deployed, tmp_path):
    assert f"#   {tmp_path / 'docs'}" in deployed("rayservice")[0]
    assert "#   /var/lib/waggle/docs" in deployed("deployment")[0]


@pytest.mark.parametrize("form", ["deployment", "rayservice"])
def test_without_a_key_nothing_is_rendered(waggle, form):
    result = waggle("deploy", form)
    assert result.exit_code == 2
    assert "there is no key: make one with `waggle keys new NAME`" in " ".join(
        result.output.split()
    )


def test_rendering_changes_nothing_on_this_machine(deployed, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    deployed("rayservice"), deployed("deployment")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert load(tmp_path / "waggle.yaml").server.host == "127.0.0.1"


@pytest.mark.parametrize("form", ["deployment", "rayservice"])
def test_kubernetes_own_schemas_accept_what_is_rendered(deployed, form):
    validate = pytest.importorskip("kubernetes_validate").validate
    for part in yaml.safe_load_all(deployed(form)[0]):
        if part["kind"] != "RayService":
            validate(part, "1.37", strict=True)
