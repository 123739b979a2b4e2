"""Do the manifests of one overlay name each other rightly? Selectors, targets of scalers, ports, volumes, secrets."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.check.kustomize import Manifest
from orchestrator.queues import topology

OPERATOR_PODS = {"app.kubernetes.io/name": "broker", "app.kubernetes.io/component": "rabbitmq"}
"""Labels that RabbitMQ's operator puts on the pods of the RabbitmqCluster `broker`."""
OPERATOR_SECRETS = {"broker-default-user": {"username", "password", "connection_string", "host", "port"}}
OPERATOR_SERVICES = {"broker": {5672, 15672, 15692}}
ADAPTER = Path("deploy/kubernetes/prometheus-adapter.yaml")
DOCUMENT = Path("docs/DEPLOY.md")
"""Names the secrets that an operator of Polylip makes by hand."""


def check_references(root: Path, where: str, manifests: list[Manifest]) -> Iterator[str]:
    """Yield a line for each name that leads nowhere."""
    named: dict[tuple[str, str], Manifest] = {}
    for each in manifests:
        key = (each["kind"], each["metadata"]["name"])
        if key in named:
            yield f"{where}: {' '.join(key)} is there twice"
        if each["kind"] != "Namespace" and each["metadata"].get("namespace") != "polylip":
            yield f"{where}: {' '.join(key)} is in no namespace"
        named[key] = each
    pods = [each["spec"]["template"] for each in manifests if each["kind"] == "Deployment"]
    for (kind, name), each in named.items():
        here = f"{where}: {kind} {name}"
        if kind in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"):
            yield from _check_selector(here, each, pods)
        if kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            yield from _check_scaler(root, here, each, named)
        if kind == "Service":
            yield from _check_ports(here, each, pods)
        if kind == "Deployment":
            yield from _check_volumes(root, here, each["spec"]["template"]["spec"], named)
        for reference in _of(each, "secretTargetRef"):
            yield from _check_secret(root, here, reference["name"], [reference["key"]])


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector takes something with these labels."""
    wanted = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"] for each in expressions
    )


def _check_selector(where: str, manifest: Manifest, pods: list[Manifest]) -> Iterator[str]:
    spec = manifest["spec"]
    labels = [OPERATOR_PODS, *(pod["metadata"]["labels"] for pod in pods)]
    if manifest["kind"] == "Service":
        selectors = [{"matchLabels": spec["selector"]}]
    elif manifest["kind"] == "NetworkPolicy":
        peers = [peer for key in ("ingress", "egress") for rule in spec.get(key, []) for peer in _peers(rule)]
        selectors = [spec["podSelector"], *(each["podSelector"] for each in peers if _ours(each))]
    else:
        selectors = [spec["selector"]]
    for selector in selectors:
        if not any(selects(selector, each) for each in labels):
            yield f"{where}: no pod is {selector}"
    if manifest["kind"] == "Deployment" and not selects(spec["selector"], spec["template"]["metadata"]["labels"]):
        yield f"{where}: does not select its own pods"


def _peers(rule: Mapping[str, Any]) -> list[Manifest]:
    return [*rule.get("from", []), *rule.get("to", [])]


def _ours(peer: Mapping[str, Any]) -> bool:
    return "podSelector" in peer and "namespaceSelector" not in peer


def _check_scaler(
    root: Path, where: str, manifest: Manifest, named: Mapping[tuple[str, str], Manifest]
) -> Iterator[str]:
    spec = manifest["spec"]
    target = named.get(("Deployment", spec["scaleTargetRef"]["name"]))
    if target is None:
        yield f"{where}: there is no Deployment {spec['scaleTargetRef']['name']}"
    elif "replicas" in target["spec"]:
        yield f"{where}: the Deployment says `replicas` itself: each apply would undo the scaling"
    rules = yaml.safe_load((root / ADAPTER).read_text(encoding="utf-8"))["rules"]["custom"]
    for metric in spec.get("metrics", []):
        name = metric.get("pods", {}).get("metric", {}).get("name")
        if name not in [rule["name"]["as"] for rule in rules]:
            yield f"{where}: {ADAPTER} has no rule for {name}"
    for trigger in spec.get("triggers", []):
        queue, host = trigger["metadata"]["queueName"], trigger["metadata"]["host"]
        if queue not in topology.WORK_QUEUES:
            yield f"{where}: no work queue is called {queue}"
        name, _, port = host.removeprefix("http://").partition(":")
        service, _, rest = name.partition(".")
        if rest != "polylip.svc" or int(port) not in OPERATOR_SERVICES.get(service, set()):
            yield f"{where}: nobody listens at {host}"
        if ("TriggerAuthentication", trigger["authenticationRef"]["name"]) not in named:
            yield f"{where}: there is no TriggerAuthentication {trigger['authenticationRef']['name']}"


def _check_ports(where: str, service: Manifest, pods: list[Manifest]) -> Iterator[str]:
    for pod in pods:
        if not selects({"matchLabels": service["spec"]["selector"]}, pod["metadata"]["labels"]):
            continue
        names = {port["name"] for each in pod["spec"]["containers"] for port in each.get("ports", [])}
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in names:
                yield f"{where}: its pods have no port {port['targetPort']}"


def _check_volumes(root: Path, where: str, pod: Manifest, named: Mapping[tuple[str, str], Manifest]) -> Iterator[str]:
    volumes = {each["name"]: each for each in pod["volumes"]}
    mounted = set()
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        for mount in container.get("volumeMounts", []):
            mounted.add(mount["name"])
            if mount["name"] not in volumes:
                yield f"{where}: there is no volume {mount['name']}"
        for reference in container.get("envFrom", []):
            if ("ConfigMap", reference["configMapRef"]["name"]) not in named:
                yield f"{where}: there is no ConfigMap {reference['configMapRef']['name']}"
    for name, volume in volumes.items():
        if name not in mounted:
            yield f"{where}: nobody mounts the volume {name}"
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and ("PersistentVolumeClaim", claim) not in named:
            yield f"{where}: there is no PersistentVolumeClaim {claim}"
        if "secret" in volume:
            keys = [each["key"] for each in volume["secret"].get("items", [])]
            yield from _check_secret(root, where, volume["secret"]["secretName"], keys)


def _check_secret(root: Path, where: str, name: str, keys: list[str]) -> Iterator[str]:
    if name in OPERATOR_SECRETS:
        yield from (f"{where}: {name} has no {key}" for key in keys if key not in OPERATOR_SECRETS[name])
    elif f"secret generic {name} " not in (root / DOCUMENT).read_text(encoding="utf-8"):
        yield f"{where}: {DOCUMENT} does not say how the secret {name} is made"


def _of(manifest: Manifest, key: str) -> list[Manifest]:
    found = manifest.get("spec", {}).get(key, [])
    return found if isinstance(found, list) else []
