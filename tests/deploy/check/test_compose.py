"""The checks of compose files find what they are there for."""

import copy
import itertools
import os
import stat
import subprocess

import pytest
import yaml

from deploy.check.compose import BASE, FOLDER, GPU, POSTGRES, check_compose, check_project, default_of, merge
from deploy.triton.embedded import CHECKOUT
from orchestrator.settings import Settings


def load(*names):
    project = {}
    for name in names:
        project = merge(project, yaml.safe_load((CHECKOUT / FOLDER / name).read_text()))
    return project


PROJECT = load(BASE)


def test_what_is_shipped_passes():
    assert list(check_compose(CHECKOUT)) == []


def change(*path_and_value):
    *path, key, value = path_and_value

    def apply(project):
        for step in path:
            project = project[step]
        if value is None:
            del project[key]
        else:
            project[key] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "said"),
    [
        (change("services", "triton", "ports", ["8001:8001"]), "gateway, triton; only the gateway's"),
        (change("services", "gateway", "ports", ["0.0.0.0:8600:8600"]), "open to the network"),
        (change("services", "gateway", "ports", ["${GATEWAY_LISTEN:-127.0.0.1}:8600:8601"]), "does not listen at 8601"),
        (change("services", "owner", "healthcheck", None), "owner: no healthcheck"),
        (change("services", "owner", "deploy", "resources", "limits", "memory", None), "no limit of memory"),
        (change("services", "owner", "read_only", False), "not read-only"),
        (change("services", "owner", "cap_drop", []), "keeps privileges"),
        (change("services", "rabbitmq", "image", "rabbitmq:4"), "names no version"),
        (change("services", "owner", "depends_on", {"triton": {"condition": "service_started"}}), "is healthy"),
        (change("services", "owner", "secrets", []), "which it is not given"),
        (change("services", "owner", "secrets", ["broker_url", "webhook_secret"]), "does not read it"),
        (change("services", "owner", "secrets", ["broker_url", "other"]), "there is no secret other"),
        (change("services", "owner", "networks", ["innner"]), "there is no network innner"),
        (change("services", "owner", "volumes", ["sate:/srv/polylip"]), "there is no volume sate"),
        (change("services", "owner", "volumes", ["state:/x", "scratch:/x"]), "two volumes at one place"),
        (change("services", "owner", "command", ["owner", "--ready", "x"]), "polylip owner --ready"),
        (change("services", "owner", "environment", "POLYLIP_TRITON__GRPC_URL", "triton:8100"), "nobody listens"),
        (change("services", "owner", "environment", "POLYLIP_TRITON__GRPC_URL", None), "not told where Triton is"),
        (change("services", "owner", "environment", "POLYLIP_ENGINES__MT", "mt_opus"), "Triton has other engines"),
        (change("services", "owner", "environment", "POLYLIP_ENGINES__MT", None), "not set: POLYLIP_ENGINES__MT"),
        (change("services", "owner", "environment", "POLYLIP_QUEUE", "x"), "POLYLIP_QUEUE: no such setting"),
        (change("services", "owner", "environment", "API_TOKEN", "x"), "a secret belongs into a file"),
        (change("services", "owner", "build", "dockerfile", "Dockerfile"), "builds Dockerfile"),
        (change("secrets", "other", {"file": "secrets/other"}), "make_secrets.sh does not make"),
        (change("configs", "rabbitmq_limits", {"file": "x.conf"}), "there is no x.conf"),
    ],
)
def test_a_mistake_is_found(apply, said):
    project = copy.deepcopy(PROJECT)
    apply(project)
    assert said in "\n".join(check_project(CHECKOUT, "here", project))


def test_a_key_that_compose_does_not_know_is_found(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "compose.other.yaml").write_text("services: {a: {image: x, restrat: always}}")
    (tmp_path / FOLDER / BASE).write_text("services: {gateway: {ports: []}}")
    found = "\n".join(itertools.islice(check_compose(tmp_path), 2))
    assert "restrat" in found
    assert "compose.other.yaml: not checked" in found


def test_overlays_change_what_they_name():
    gpu = load(BASE, GPU)["services"]
    assert gpu["triton"]["build"] == {**PROJECT["services"]["triton"]["build"], "target": "gpu"}
    assert gpu["triton"]["volumes"] == ["../model_repository:/models:ro", "tensorrt:/cache/tensorrt"]
    assert default_of(gpu["triton"]["environment"]["POLYLIP_TRITON__PROFILE"]) == "gpu_ort"
    assert {each["environment"]["POLYLIP_ENGINES__LIPS"] for each in gpu.values() if "build" in each} == {
        "lips_wav2lip"
    }
    assert set(load(BASE, POSTGRES)["services"]["owner"]["depends_on"]) == {"rabbitmq", "triton", "postgres"}


def test_secrets_are_made_once_and_are_what_the_processes_read(tmp_path, monkeypatch):
    script = tmp_path / "make_secrets.sh"
    script.write_bytes((CHECKOUT / FOLDER / "make_secrets.sh").read_bytes())
    subprocess.run(["bash", script], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(["bash", script], check=True, capture_output=True)
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {f"secrets/{name}" for name in made} == {each["file"] for each in load(BASE, POSTGRES)["secrets"].values()}
    for name in [name for name in os.environ if name.startswith("POLYLIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POLYLIP_BROKER__URL_FILE", str(tmp_path / "secrets/broker_url"))
    monkeypatch.setenv("POLYLIP_STORE__DATABASE_URL_FILE", str(tmp_path / "secrets/database_url"))
    settings = Settings()
    password = made["rabbitmq_user.conf"].split("default_pass = ")[1].strip()
    assert settings.broker.url == f"amqp://polylip:{password}@rabbitmq:5672/%2F"
    assert f":{made['postgres_password']}@postgres:5432/" in settings.store.database_url
