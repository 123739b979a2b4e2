"""The pods of one overlay: what they run, with which settings, how they are confined, probed and kept."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.check.commands import POLYLIP, check_command
from deploy.check.dockerfile import Stage, read_dockerfile
from deploy.check.environment import check_variables
from deploy.check.images import TARGETS, pinned
from deploy.check.kustomize import Manifest
from deploy.check.references import selects
from orchestrator.environment import FILE_SUFFIX


def check_workloads(root: Path, where: str, manifests: list[Manifest]) -> Iterator[str]:
    """Yield a line for each finding."""
    maps = {each["metadata"]["name"]: each["data"] for each in manifests if each["kind"] == "ConfigMap"}
    services = {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == "Service"}
    budgets = [each["spec"] for each in manifests if each["kind"] == "PodDisruptionBudget"]
    scaled = [each for each in manifests if each["kind"] in ("ScaledObject", "HorizontalPodAutoscaler")]
    for each in manifests:
        if each["kind"] == "RabbitmqCluster" and not pinned(each["spec"]["image"]):
            yield f"{where}: the tag of {each['spec']['image']} names no version"
        if each["kind"] != "Deployment":
            continue
        name = each["metadata"]["name"]
        here = f"{where}: {name}"
        template = each["spec"]["template"]
        if not any(selects(budget["selector"], template["metadata"]["labels"]) for budget in budgets):
            yield f"{here}: no PodDisruptionBudget"
        if "replicas" not in each["spec"] and name not in [it["spec"]["scaleTargetRef"]["name"] for it in scaled]:
            yield f"{here}: neither `replicas` nor a scaler"
        yield from _check_pod(here, template["spec"])
        for container in template["spec"]["containers"]:
            yield from _check_container(root, here, template["spec"], container, maps, services)


def _check_pod(where: str, pod: Manifest) -> Iterator[str]:
    confined = pod.get("securityContext", {})
    if confined.get("runAsNonRoot") is not True or confined.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield f"{where}: may run as root, or without seccomp"
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{where}: is given a token for Kubernetes, which nothing of ours uses"
    if "terminationGracePeriodSeconds" not in pod:
        yield f"{where}: does not say how long it may take to stop"
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        here = f"{where}: container {container['name']}"
        wanted = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        if container.get("securityContext") != wanted:
            yield f"{here}: is not confined (securityContext)"
        if not pinned(container["image"]):
            yield f"{here}: the tag of {container['image']} names no version"
        for kind in ("requests", "limits"):
            missing = {"cpu", "memory"} - set(container.get("resources", {}).get(kind, {}))
            if missing:
                yield f"{here}: no {kind} of {', '.join(sorted(missing))}"


def _check_container(
    root: Path,
    where: str,
    pod: Manifest,
    container: Manifest,
    maps: Mapping[str, Mapping[str, str]],
    services: Mapping[str, Any],
) -> Iterator[str]:
    stage = _stage(root, container["image"])
    if stage is None:
        yield f"{where}: {container['image']} is none of our images"
        return
    given: dict[str, str] = {}
    for reference in container.get("envFrom", []):
        given |= maps.get(reference["configMapRef"]["name"], {})
    given |= {each["name"]: each.get("value", "") for each in container.get("env", [])}
    variables = stage.variables | given
    yield from check_variables(where, variables)
    yield from check_command(where, stage.entrypoint, container.get("args", stage.command), variables)
    if stage.entrypoint == POLYLIP:
        yield from _check_files(where, pod, container, given)
        host, _, port = given.get("POLYLIP_TRITON__GRPC_URL", "").partition(":")
        if port not in [str(each["port"]) for each in services.get(host, {}).get("ports", [])]:
            yield f"{where}: nobody listens at {host}:{port}"
    else:
        yield from _check_profile(where, container, stage, given.get("POLYLIP_TRITON__PROFILE", "cpu"))
    yield from _check_probes(where, container, stage)


def _check_profile(where: str, container: Manifest, stage: Stage, profile: str) -> Iterator[str]:
    if (profile == "cpu") != (stage.name == "cpu"):
        yield f"{where}: the image {container['image']} is not for the profile {profile}"
    if (profile == "cpu") == ("nvidia.com/gpu" in container["resources"]["limits"]):
        yield f"{where}: a GPU and the profile {profile} do not go together"


def _check_probes(where: str, container: Manifest, stage: Stage) -> Iterator[str]:
    ports = {each["name"]: each["containerPort"] for each in container.get("ports", [])}
    for name, port in ports.items():
        if port not in stage.ports:
            yield f"{where}: the image does not listen at {port} ({name})"
    for probe in ("startupProbe", "readinessProbe"):
        if probe not in container:
            yield f"{where}: no {probe}"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container.get(probe, {}).get("httpGet", {}).get("port")
        if asked is not None and asked not in ports:
            yield f"{where}: {probe} asks a port {asked} that is not there"


def _check_files(where: str, pod: Manifest, container: Manifest, variables: Mapping[str, str]) -> Iterator[str]:
    """Every file that a setting names must lie in a secret that is mounted."""
    secrets = {each["name"]: each["secret"] for each in pod["volumes"] if "secret" in each}
    folders = {
        each["mountPath"]: secrets[each["name"]] for each in container["volumeMounts"] if each["name"] in secrets
    }
    for name, value in variables.items():
        if not name.endswith(FILE_SUFFIX):
            continue
        folder, _, file = value.rpartition("/")
        items = folders.get(folder, {"items": []}).get("items")
        if items is not None and file not in [each["path"] for each in items]:
            yield f"{where}: {name}: no mounted secret has {value}"


def _stage(root: Path, image: str) -> Stage | None:
    """Return what the image is built of: polylip-triton:0.1.0-gpu is target gpu."""
    name, _, tag = image.rpartition("/")[2].partition(":")
    variant = f"{name}-{tag.rpartition('-')[2]}" if "-" in tag else name
    if variant not in TARGETS:
        return None
    file, target = TARGETS[variant]
    return read_dockerfile(root / file).target(target)
