"""The compose files, each combination that the documentation names: schema, and what a schema does not see."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.check.commands import POLYLIP, check_command
from deploy.check.dockerfile import Stage, read_dockerfile
from deploy.check.environment import check_variables
from deploy.check.images import engine_variables, pinned
from orchestrator.environment import FILE_SUFFIX

FOLDER = Path("deploy")
BASE, GPU, POSTGRES = "compose.yaml", "compose.gpu.yaml", "compose.postgres.yaml"
COMBINATIONS = ((BASE,), (BASE, GPU), (BASE, POSTGRES), (BASE, GPU, POSTGRES))
SECRETS = "/run/secrets"

Service = dict[str, Any]


def check_compose(root: Path) -> Iterator[str]:
    """Yield a line for each finding."""
    files = sorted((root / FOLDER).glob("compose*.yaml"))
    yield from _schema(files)
    for name in sorted({path.name for path in files} - {name for names in COMBINATIONS for name in names}):
        yield f"deploy/{name}: not checked: it is in no combination"
    for names in COMBINATIONS:
        merged: dict[str, Any] = {}
        for name in names:
            merged = merge(merged, yaml.safe_load((root / FOLDER / name).read_text(encoding="utf-8")))
        yield from check_project(root, " + ".join(names), merged)


def merge(base: Any, over: Any) -> Any:  # noqa: ANN401 - as YAML has it
    """Put one file over another as compose does, as far as we use it: mappings by key, lists one after the other."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merge(base[key], value) if key in base else value for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return [*base, *(each for each in over if each not in base)]
    return over


def check_project(root: Path, where: str, project: Mapping[str, Any]) -> Iterator[str]:
    """Check one merged project."""
    services: dict[str, Service] = project["services"]
    doors = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    if set(doors) != {"gateway"}:
        yield f"{where}: ports are published by {', '.join(doors) or 'nobody'}; only the gateway's may be"
    for name, service in services.items():
        yield from _check_manners(f"{where}: {name}", service)
        yield from _check_references(f"{where}: {name}", service, project)
        yield from _check_secrets(f"{where}: {name}", service)
        if "build" in service:
            yield from _check_own(root, f"{where}: {name}", service, services)
    for kind in ("secrets", "configs"):
        for name, source in project.get(kind, {}).items():
            made = f"write {Path(source['file']).name}"  # as deploy/make_secrets.sh does it
            if kind == "secrets" and made not in (root / FOLDER / "make_secrets.sh").read_text(encoding="utf-8"):
                yield f"{where}: secret {name}: make_secrets.sh does not make {source['file']}"
            if kind == "configs" and not (root / FOLDER / source["file"]).is_file():
                yield f"{where}: config {name}: there is no {source['file']}"


def _schema(files: list[Path]) -> Iterator[str]:
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [str(program), "--builtin-schema", "vendor.compose-spec", *map(str, files)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if answer.returncode:
        yield f"compose schema: {(answer.stdout + answer.stderr).strip()}"


def _check_manners(where: str, service: Service) -> Iterator[str]:
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    missing = [each for each in ("cpus", "memory", "pids") if each not in limits]
    if missing:
        yield f"{where}: no limit of {', '.join(missing)}"
    for key in ("healthcheck", "restart", "stop_grace_period"):
        if key not in service:
            yield f"{where}: no {key}"
    if service.get("cap_drop") != ["ALL"] or "no-new-privileges:true" not in service.get("security_opt", []):
        yield f"{where}: keeps privileges (cap_drop, security_opt)"
    if not pinned(service["image"]):
        yield f"{where}: the tag of {service['image']} names no version"
    if "build" in service and service.get("read_only") is not True:
        yield f"{where}: its root is not read-only"
    for name, value in service.get("environment", {}).items():
        if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN")) and not name.endswith(FILE_SUFFIX):
            yield f"{where}: {name}: a secret belongs into a file, not {value!r}"


def _check_references(where: str, service: Service, project: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("secrets", "configs", "networks"):
        for each in service.get(kind, []):
            name = each["source"] if isinstance(each, dict) else each
            if name not in project.get(kind, {}):
                yield f"{where}: there is no {kind[:-1]} {name}"
    volumes = [each.split(":") for each in service.get("volumes", [])]
    for source, *_ in volumes:
        if not source.startswith((".", "/")) and source not in project.get("volumes", {}):
            yield f"{where}: there is no volume {source}"
    if len({target for _, target, *_ in volumes}) != len(volumes):
        yield f"{where}: two volumes at one place"
    for other, condition in service.get("depends_on", {}).items():
        if condition != {"condition": "service_healthy"} or "healthcheck" not in project["services"].get(other, {}):
            yield f"{where}: must wait until {other} is healthy"


def _check_secrets(where: str, service: Service) -> Iterator[str]:
    secrets = [each for each in service.get("secrets", []) if isinstance(each, str)]
    read = [value for name, value in service.get("environment", {}).items() if name.endswith(FILE_SUFFIX)]
    for path in read:
        if path not in [f"{SECRETS}/{name}" for name in secrets]:
            yield f"{where}: reads {path}, which it is not given"
    for name in secrets:
        if f"{SECRETS}/{name}" not in read:
            yield f"{where}: is given the secret {name} and does not read it"


def _check_own(root: Path, where: str, service: Service, services: Mapping[str, Service]) -> Iterator[str]:
    """Check a service of ours: its build, its variables, its command, the addresses that it is told."""
    build, context = service["build"], (root / FOLDER / service["build"]["context"]).resolve()
    if context != root.resolve() or not (root / build["dockerfile"]).is_file():
        yield f"{where}: builds {build['dockerfile']} in {context}"
        return
    stage = read_dockerfile(root / build["dockerfile"]).target(build.get("target", ""))
    given = {name: default_of(str(value)) for name, value in service["environment"].items()}
    variables = stage.variables | given
    yield from check_variables(where, variables)
    engines = sorted(name for name in engine_variables() if name not in given)
    if engines:
        yield f"{where}: not set: {', '.join(engines)}"
    different = [name for name in engine_variables() if given.get(name) != services["triton"]["environment"].get(name)]
    if different:
        yield f"{where}: Triton has other engines: {', '.join(different)}"
    yield from check_command(where, stage.entrypoint, service.get("command", stage.command), variables)
    address = given.get("POLYLIP_TRITON__GRPC_URL")
    if address is not None:
        host, _, port = address.partition(":")
        yield from _check_address(root, where, services.get(host), address, int(port))
    elif stage.entrypoint == POLYLIP:
        yield f"{where}: is not told where Triton is"
    yield from _check_doors(where, service, stage)


def _check_address(root: Path, where: str, server: Service | None, address: str, port: int) -> Iterator[str]:
    stage = read_dockerfile(root / server["build"]["dockerfile"]).target(server["build"]["target"]) if server else None
    if stage is None or port not in stage.ports:
        yield f"{where}: nobody listens at {address}"


def _check_doors(where: str, service: Service, stage: Stage) -> Iterator[str]:
    for published in service.get("ports", []):
        address, _, port = published.rpartition(":")
        if int(port) not in stage.ports:
            yield f"{where}: the image does not listen at {port}"
        if not address.startswith("${GATEWAY_LISTEN:-127.0.0.1}:"):
            yield f"{where}: {published} is open to the network by default, and the gateway has no authentication"


def default_of(value: str) -> str:
    """Return what `${NAME:-default}` stands for when nobody sets NAME."""
    return value.partition(":-")[2].removesuffix("}") if value.startswith("${") else value
