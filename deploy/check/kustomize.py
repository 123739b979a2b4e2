"""Builds an overlay as `kubectl kustomize` does, as far as our files need it; anything else in them is refused.

Strategic merge: mappings by key, lists of named things by their name, other lists as a whole; `$patch: delete`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
}
"""Lists that are merged item by item -> what tells their items apart (Kubernetes' patchMergeKey)."""
_UNDERSTOOD = {"apiVersion", "kind", "namespace", "labels", "resources", "components", "patches", "images"}
_CLUSTER_WIDE = {"Namespace"}


class NotBuilt(ValueError):
    """A kustomization asks for something that this does not do, or that cannot be done."""


def build(folder: Path, components: Sequence[Path] = ()) -> list[Manifest]:
    """Return the manifests of the kustomization in `folder`, as if it named these components too.

    Raises:
        NotBuilt: why there are none.
    """
    manifests = _apply(folder, [])
    for component in components:
        manifests = _apply(component, manifests)
    return manifests


def _apply(folder: Path, manifests: list[Manifest]) -> list[Manifest]:
    """Add the folder's resources to `manifests` (a component is given those of whoever takes it in); change them."""
    path = folder / "kustomization.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    if unknown := sorted(set(plan) - _UNDERSTOOD):
        raise NotBuilt(f"{path}: {', '.join(unknown)} is not understood here")
    for name in plan.get("resources", []):
        manifests = [*manifests, *_resource(folder / name)]
    for name in plan.get("components", []):
        manifests = _apply((folder / name).resolve(), manifests)
    for patch in plan.get("patches", []):
        if set(patch) != {"path"}:
            raise NotBuilt(f"{path}: a patch must be a file")
        for each in _documents(folder / patch["path"]):
            manifests = _patched(manifests, each, folder / patch["path"])
    namespace, images = plan.get("namespace"), plan.get("images", [])
    labels = {key: value for each in plan.get("labels", []) for key, value in each["pairs"].items()}
    for manifest in manifests:
        if namespace and manifest["kind"] not in _CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = namespace
        if labels:
            manifest["metadata"].setdefault("labels", {}).update(labels)
        _set_images(manifest, images)
    return manifests


def _resource(path: Path) -> list[Manifest]:
    return _apply(path.resolve(), []) if path.is_dir() else list(_documents(path))


def _documents(path: Path) -> Iterator[Manifest]:
    if not path.is_file():
        raise NotBuilt(f"{path}: no such file")
    yield from filter(None, yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _patched(manifests: list[Manifest], patch: Manifest, path: Path) -> list[Manifest]:
    wanted = (patch["apiVersion"], patch["kind"], patch["metadata"]["name"])
    hits = [each for each in manifests if (each["apiVersion"], each["kind"], each["metadata"]["name"]) == wanted]
    if len(hits) != 1:
        raise NotBuilt(f"{path}: there are {len(hits)} of {' '.join(wanted)}")
    if patch.get("$patch") == "delete":
        return [each for each in manifests if each is not hits[0]]
    return [merge(each, patch) if each is hits[0] else each for each in manifests]


def merge(base: Any, patch: Any, key: str = "") -> Any:  # noqa: ANN401 - as YAML has it
    """Merge strategically; `key` is the field that both are the values of."""
    if isinstance(base, dict) and isinstance(patch, dict):
        result = dict(base)
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = merge(base[name], value, name) if name in base else value
        return result
    if isinstance(base, list) and isinstance(patch, list) and key in _MERGE_KEYS:
        return _merge_items(base, patch, _MERGE_KEYS[key])
    return patch


def _merge_items(base: list[Manifest], patch: list[Manifest], name: str) -> list[Manifest]:
    changed = {item[name]: item for item in patch}
    known = {item[name] for item in base}
    removed = {each for each, item in changed.items() if item.get("$patch") == "delete"}
    if unknown := removed - known:
        raise NotBuilt(f"nothing to delete: {name} {', '.join(map(str, unknown))}")
    new = [item for each, item in changed.items() if each not in known]
    kept = [merge(item, changed.get(item[name], {})) for item in base if item[name] not in removed]
    return [*new, *kept]  # kustomize too puts new items first


def _set_images(value: Any, images: list[dict[str, str]]) -> None:  # noqa: ANN401 - as YAML has it
    if isinstance(value, list):
        for each in value:
            _set_images(each, images)
    elif isinstance(value, dict):
        for each in value.values():
            _set_images(each, images)
        for image in images:
            if value.get("image") == image["name"]:
                value["image"] = f"{image['newName']}:{image['newTag']}"
