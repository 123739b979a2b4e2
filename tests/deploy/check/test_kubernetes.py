"""The checks of Kubernetes manifests find what they are there for."""

import copy
import re
import shutil
import urllib.error
import urllib.request
from contextlib import suppress

import pytest
import yaml

from deploy.check.kubernetes import FOLDER, check_kubernetes, check_schema
from deploy.check.kustomize import NotBuilt, build, merge
from deploy.check.references import ADAPTER, check_references, selects
from deploy.check.workloads import check_workloads
from deploy.triton.embedded import CHECKOUT
from tests.waiting import eventually

OVERLAYS = CHECKOUT / FOLDER / "overlays"
S3 = CHECKOUT / FOLDER / "components" / "models-s3"
CPU, GPU = build(OVERLAYS / "cpu"), build(OVERLAYS / "gpu")


def find(manifests, kind, name):
    return next(each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))


def container(manifests, name):
    return find(manifests, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]


def test_what_is_shipped_passes():
    assert list(check_kubernetes(CHECKOUT)) == []


def test_an_overlay_changes_what_it_names():
    triton = find(GPU, "Deployment", "triton")["spec"]["template"]["spec"]
    assert triton["containers"][0]["image"].endswith("polylip-triton:0.1.0-gpu")
    assert triton["initContainers"][0]["image"].endswith("polylip-triton:0.1.0-gpu")
    assert triton["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {each["name"] for each in triton["volumes"]} == {"models", "shm", "tmp", "tensorrt-cache"}
    settings = find(GPU, "ConfigMap", "polylip-settings")["data"]
    assert (settings["POLYLIP_ENGINES__LIPS"], settings["POLYLIP_ENGINES__STT"]) == ("lips_wav2lip", "stt_pocketsphinx")
    assert {each["metadata"].get("namespace") for each in GPU if each["kind"] != "Namespace"} == {"polylip"}


def test_a_component_takes_away_what_it_says():
    built = build(OVERLAYS / "cpu", [S3])
    assert not [each for each in built if each["kind"] == "PersistentVolumeClaim"]
    triton = find(built, "Deployment", "triton")["spec"]["template"]["spec"]
    assert triton["initContainers"] == []
    assert "models" not in {each["name"] for each in triton["volumes"]}
    assert "/models" not in {each["mountPath"] for each in triton["containers"][0]["volumeMounts"]}
    assert triton["containers"][0]["args"][0] == "--model-repository=s3://polylip-models"


def test_a_broker_of_three_nodes_and_scaling_by_unacknowledged_messages_too():
    assert find(CPU, "RabbitmqCluster", "broker")["spec"]["replicas"] == 3
    triggers = [each["spec"]["triggers"][0]["metadata"] for each in CPU if each["kind"] == "ScaledObject"]
    assert {each["queueName"] for each in triggers} == {"audio_queue", "text_queue", "translation_queue", "jobs"}
    assert {each["protocol"] for each in triggers} == {"http"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("configMapGenerator: []", "configMapGenerator is not understood"),
        ("resources: [gone.yaml]", "gone.yaml: no such file"),
        ("patches: [{path: patch.yaml}]", "there are 0 of v1 ConfigMap x"),
    ],
)
def test_what_cannot_be_built_is_refused(tmp_path, text, said):
    (tmp_path / "kustomization.yaml").write_text(text)
    (tmp_path / "patch.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}")
    with pytest.raises(NotBuilt, match=said):
        build(tmp_path)


def test_lists_of_named_things_are_merged_by_name():
    base = {"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "args": ["x"], "gone": 1}
    patch = {"env": [{"name": "b", "value": "3"}, {"name": "a", "$patch": "delete"}], "args": ["y"], "gone": None}
    assert merge(base, patch) == {"env": [{"name": "b", "value": "3"}], "args": ["y"]}
    with pytest.raises(NotBuilt, match="nothing to delete"):
        merge(base, {"env": [{"name": "c", "$patch": "delete"}]})


def test_a_selector_wants_all_of_its_labels():
    labels = {"a": "1", "b": "2"}
    assert selects({"matchLabels": {"a": "1"}}, labels)
    assert not selects({"matchLabels": {"a": "1", "c": "3"}}, labels)
    assert selects({"matchExpressions": [{"key": "b", "operator": "In", "values": ["2", "3"]}]}, labels)
    assert not selects({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["3"]}]}, labels)


SCHEMA_MISTAKES = [
    ("Deployment", "gateway", ("spec",), "repicas", 2, "repicas"),
    ("HorizontalPodAutoscaler", "triton", (), "apiVersion", "autoscaling/v2beta2", "v2beta2"),
    ("ScaledObject", "owner", ("spec",), "minReplicas", 2, "minReplicas"),
    ("ScaledObject", "owner", ("spec", "triggers", 0, "metadata"), "protocol", "amqp", "'http' was expected"),
    ("RabbitmqCluster", "broker", ("spec",), "replicas", 2, "2 is not one of"),
    ("RabbitmqCluster", "broker", (), "apiVersion", "rabbitmq.com/v1", "rabbitmq.com/v1"),
]


@pytest.mark.parametrize(("kind", "name", "path", "key", "value", "said"), SCHEMA_MISTAKES)
def test_a_manifest_that_the_schema_refuses_is_found(kind, name, path, key, value, said):
    manifest = copy.deepcopy(find(CPU, kind, name))
    put(manifest, path, key, value)
    assert said in "\n".join(check_schema("here", manifest))


def put(value, path, key, new):
    for step in path:
        value = value[step]
    if new is None:
        del value[key]
    else:
        value[key] = new


NAME = "app.kubernetes.io/name"
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
MISTAKES = [
    ("Service", "gateway", ("spec", "selector"), NAME, "x", "no pod is"),
    ("Service", "triton", ("spec", "ports", 0), "targetPort", "grcp", "no port grcp"),
    ("PodDisruptionBudget", "broker", ("spec", "selector", "matchLabels"), NAME, "x", "no pod is"),
    ("PodDisruptionBudget", "owner", ("spec", "selector", "matchLabels"), NAME, "triton", "owner: no"),
    ("NetworkPolicy", "triton", ("spec", "podSelector", "matchLabels"), NAME, "x", "no pod is"),
    ("Deployment", "owner", ("spec",), "replicas", 2, "says `replicas` itself"),
    ("Deployment", "gateway", ("spec",), "replicas", None, "neither `replicas` nor a scaler"),
    ("HorizontalPodAutoscaler", "triton", ("spec", "metrics", 0, "pods", "metric"), "name", "x", "has no rule for x"),
    ("ScaledObject", "owner", ("spec", "scaleTargetRef"), "name", "x", "there is no Deployment x"),
    ("ScaledObject", "owner", ("spec", "triggers", 0, "metadata"), "queueName", "job", "no work queue is called job"),
    ("ScaledObject", "owner", ("spec", "triggers", 0, "metadata"), "host", "http://rabbit:15672", "nobody listens"),
    ("ScaledObject", "owner", ("spec", "triggers", 0, "authenticationRef"), "name", "x", "no TriggerAuthentication x"),
    ("TriggerAuthentication", "broker", ("spec", "secretTargetRef", 0), "key", "user", "has no user"),
    ("Deployment", "owner", (*POD, "volumes", 1, "secret"), "secretName", "x", "how the secret x is made"),
    ("Deployment", "owner", (*CONTAINER, "volumeMounts", 2), "name", "x", "there is no volume x"),
    ("Deployment", "triton", (*POD, "volumes", 0, "persistentVolumeClaim"), "claimName", "x", "Claim x"),
    ("Deployment", "owner", (*CONTAINER, "envFrom", 0, "configMapRef"), "name", "x", "there is no ConfigMap x"),
    ("Deployment", "owner", (*CONTAINER, "env", 0), "value", "/run/polylip/store2/x", "no mounted secret has"),
    ("Deployment", "owner", (*CONTAINER, "env", 0), "name", "POLYLIP_STORE__DB_URL_FILE", "no such setting"),
    ("Deployment", "owner", CONTAINER, "args", ["woner"], "polylip woner: no such command"),
    ("Deployment", "owner", CONTAINER, "image", "polylip-app", "names no version"),
    ("Deployment", "owner", CONTAINER, "image", "other:1.0", "none of our images"),
    ("Deployment", "owner", CONTAINER, "startupProbe", None, "no startupProbe"),
    ("Deployment", "triton", (*CONTAINER, "readinessProbe", "httpGet"), "port", "htpp", "asks a port htpp"),
    ("Deployment", "triton", (*CONTAINER, "ports", 1), "containerPort", 8011, "does not listen at 8011"),
    ("Deployment", "owner", (*CONTAINER, "securityContext"), "readOnlyRootFilesystem", False, "is not confined"),
    ("Deployment", "owner", (*POD, "securityContext"), "runAsNonRoot", False, "may run as root"),
    ("Deployment", "owner", POD, "automountServiceAccountToken", True, "token"),
    ("Deployment", "owner", POD, "terminationGracePeriodSeconds", None, "how long it may take"),
    ("Deployment", "owner", (*CONTAINER, "resources", "limits"), "memory", None, "no limits of memory"),
    ("Deployment", "owner", ("metadata",), "namespace", None, "is in no namespace"),
    ("ConfigMap", "polylip-settings", ("data",), "POLYLIP_TRITON__GRPC_URL", "triton:8000", "nobody listens"),
    ("ConfigMap", "polylip-settings", ("data",), "POLYLIP_TRITON__PROFILE", "gpu_ort", "is not for the profile"),
    ("ConfigMap", "polylip-settings", ("data",), "POLYLIP_ENGINES__LIPS", "", "POLYLIP_ENGINES__LIPS"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "path", "key", "value", "said"), MISTAKES)
def test_a_mistake_that_no_schema_sees_is_found(kind, name, path, key, value, said):
    manifests = copy.deepcopy(CPU)
    put(find(manifests, kind, name), path, key, value)
    found = [*check_references(CHECKOUT, "here", manifests), *check_workloads(CHECKOUT, "here", manifests)]
    assert said in "\n".join(found)


def test_a_gpu_without_a_gpu_profile_is_found():
    manifests = copy.deepcopy(GPU)
    del container(manifests, "triton")["resources"]["limits"]["nvidia.com/gpu"]
    assert "do not go together" in "\n".join(check_workloads(CHECKOUT, "here", manifests))


def test_a_file_that_no_kustomization_names_is_found(tmp_path):
    shutil.copytree(CHECKOUT / FOLDER, tmp_path / FOLDER)
    (tmp_path / FOLDER / "base" / "forgotten.yaml").write_text("{}")
    assert next(check_kubernetes(tmp_path)).endswith("base/forgotten.yaml: no kustomization names it")


def test_triton_exports_the_metrics_that_its_autoscaler_is_told_of(triton_server):
    rules = yaml.safe_load((CHECKOUT / ADAPTER).read_text())["rules"]["custom"]
    named = {name for rule in rules for name in re.findall(r"nv_\w+", rule["seriesQuery"] + rule["metricsQuery"])}
    assert named

    def exported():
        with suppress(urllib.error.URLError), urllib.request.urlopen(triton_server.metrics_url, timeout=30) as answer:
            text = answer.read().decode()
            return all(f"\n{name}{{" in text for name in named)

    eventually(exported, what=f"the export of {named}")  # Triton opens this port after the others
