"""The Kubernetes manifests of each overlay: schemas, and whether what they name is there."""

from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
import yaml

from deploy.check.custom_resources import SCHEMAS, check_custom
from deploy.check.kustomize import Manifest, NotBuilt, build
from deploy.check.references import check_references
from deploy.check.workloads import check_workloads

FOLDER = Path("deploy/kubernetes")
OVERLAYS = ("cpu", "gpu")
COMPONENTS = ("models-s3",)
KUBERNETES = "1.33"
"""The oldest version that the manifests are for; one of those that kubernetes-validate has schemas of."""


def check_kubernetes(root: Path) -> Iterator[str]:
    """Yield a line for each finding."""
    base, used = root / FOLDER / "base", set()
    for path in sorted((root / FOLDER).glob("*/**/kustomization.yaml")):
        plan = yaml.safe_load(path.read_text(encoding="utf-8"))
        listed = [*plan.get("resources", []), *(each["path"] for each in plan.get("patches", []))]
        used |= {(path.parent / each).resolve() for each in [*listed, path.name]}
    for path in sorted((root / FOLDER).glob("*/**/*.yaml")):
        if path.resolve() not in used:
            yield f"{path.relative_to(root)}: no kustomization names it"
    if not base.is_dir():
        yield f"{base}: there is no base"
    checked: list[Manifest] = []
    for name, manifests in builds(root):
        if isinstance(manifests, NotBuilt):
            yield str(manifests)
            continue
        for manifest in manifests:
            if manifest not in checked:  # most are the same in every overlay, and a schema takes its time
                checked.append(manifest)
                yield from check_schema(f"{name}: {manifest['kind']} {manifest['metadata']['name']}", manifest)
        yield from check_references(root, name, manifests)
        yield from check_workloads(root, name, manifests)


def builds(root: Path) -> Iterator[tuple[str, list[Manifest] | NotBuilt]]:
    """Yield what each overlay, alone and with each component, comes to."""
    for overlay in OVERLAYS:
        for component in ("", *COMPONENTS):
            try:
                manifests = build(root / FOLDER / "overlays" / overlay, [root / FOLDER / "components" / component]
                                  if component else [])  # fmt: skip
                yield " + ".join(filter(None, (overlay, component))), manifests
            except NotBuilt as error:
                yield overlay, error


def check_schema(where: str, manifest: Manifest) -> Iterator[str]:
    """Hold a manifest against its schema, strictly; a kind that nobody knows is a finding too."""
    if (manifest["apiVersion"], manifest["kind"]) in SCHEMAS:
        yield from check_custom(where, manifest)
        return
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{where}: {'.'.join(map(str, error.path))}: {error.message}"
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
        yield f"{where}: {error.message}"
