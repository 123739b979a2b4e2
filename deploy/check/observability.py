"""Are the dashboards, the alert rules and Prometheus's own configuration whole, and do they ask for what there is?"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.check.promql import Selector, selectors
from orchestrator.rest.metrics import GatewayMetrics
from orchestrator.store.dubs import DubStore
from orchestrator.telemetry.metrics import REGISTRY, series_names

FOLDER = Path("deploy/observability")
DOCUMENT = Path("docs/OBSERVABILITY.md")
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GRID_COLUMNS = 24
_SEVERITIES = ("critical", "warning", "info")
_DURATION = re.compile(r"[1-9]\d*[smhd]")
_PREFIX = "polylip_"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a dashboard or an alert rule."""

    where: str
    expression: str


def check_observability(root: Path) -> list[str]:
    """Return a line for each fault."""
    findings = [*_check_dashboards(root), *_check_alerts(root), *_check_prometheus(root)]
    known = _our_names()
    for query in queries(root):
        try:
            asked = selectors(query.expression)
        except ValueError as error:
            findings.append(f"{query.where}: {error}")
            continue
        findings.extend(
            f"{query.where}: no process of ours exports {each.metric}"
            for each in asked
            if each.metric.startswith(_PREFIX) and each.metric not in known
        )
    return findings


def queries(root: Path) -> list[Query]:
    """Return every expression of every dashboard and rule."""
    found = [
        Query(f"{path.name}: {panel['title']}", target["expr"])
        for path, board in _dashboards(root)
        for panel in board["panels"]
        for target in panel["targets"]
    ]
    return found + [Query(f"alerts.yml: {rule['alert']}", rule["expr"]) for rule in _rules(root)]


def used_series(root: Path) -> dict[Selector, list[str]]:
    """Return what is asked for, and where; raises ValueError for an expression that is no PromQL."""
    used: dict[Selector, list[str]] = {}
    for query in queries(root):
        for each in selectors(query.expression):
            used.setdefault(each, []).append(query.where)
    return used


def _our_names() -> set[str]:
    dubs = DubStore("sqlite://")  # in memory, and empty
    try:
        return series_names(REGISTRY) | series_names(GatewayMetrics(dubs).registry)
    finally:
        dubs.close()


def _dashboards(root: Path) -> list[tuple[Path, dict[str, Any]]]:
    paths = sorted((root / FOLDER / "dashboards").glob("*.json"))
    return [(path, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def _rules(root: Path) -> list[dict[str, Any]]:
    text = (root / FOLDER / "alerts.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _check_dashboards(root: Path) -> Iterator[str]:
    boards = _dashboards(root)
    if not boards:
        yield f"{FOLDER}: there are no dashboards"
    for path, board in boards:
        if board["uid"] != path.stem:
            yield f"{path.name}: its uid is {board['uid']}"
        ids = [panel["id"] for panel in board["panels"]]
        if len(set(ids)) != len(ids):
            yield f"{path.name}: two panels have one id"
        taken: dict[tuple[int, int], str] = {}
        for panel in board["panels"]:
            yield from _check_panel(f"{path.name}: {panel['title']}", panel, taken)


def _check_panel(where: str, panel: dict[str, Any], taken: dict[tuple[int, int], str]) -> Iterator[str]:
    place = panel["gridPos"]
    if not 0 < place["w"] <= GRID_COLUMNS - place["x"]:
        yield f"{where}: lies outside the grid"
    for column in range(place["x"], place["x"] + place["w"]):
        for row in range(place["y"], place["y"] + place["h"]):
            if (column, row) in taken:
                yield f"{where}: lies over {taken[column, row]}"
                return
            taken[column, row] = panel["title"]
    if not panel["targets"] or not panel["fieldConfig"]["defaults"].get("unit"):
        yield f"{where}: needs a target and a unit"
    if any(each["datasource"] != DATA_SOURCE for each in (panel, *panel["targets"])):
        yield f"{where}: its data source is not the one that the dashboard's user chooses"


def _check_alerts(root: Path) -> Iterator[str]:
    told = (root / DOCUMENT).read_text(encoding="utf-8")
    names: set[str] = set()
    for rule in _rules(root):
        where = f"alerts.yml: {rule['alert']}"
        if rule["alert"] in names:
            yield f"{where}: is there twice"
        names.add(rule["alert"])
        if unknown := rule.keys() - {"alert", "expr", "for", "labels", "annotations"}:
            yield f"{where}: Prometheus knows no {', '.join(sorted(unknown))}"
        if not _DURATION.fullmatch(rule.get("for", "1s")):
            yield f"{where}: {rule['for']} is no duration"
        if rule.get("labels", {}).get("severity") not in _SEVERITIES:
            yield f"{where}: its severity is none of {', '.join(_SEVERITIES)}"
        if not {"summary", "description"} <= rule.get("annotations", {}).keys():
            yield f"{where}: needs a summary and a description"
        if f"`{rule['alert']}`" not in told:
            yield f"{where}: {DOCUMENT} does not say what to do"


def _check_prometheus(root: Path) -> Iterator[str]:
    config = yaml.safe_load((root / FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    for name in config["rule_files"]:
        if not (root / FOLDER / name).is_file():
            yield f"prometheus.yml: there is no {name}"
    jobs = [each["job_name"] for each in config["scrape_configs"]]
    if len(set(jobs)) != len(jobs):
        yield "prometheus.yml: two jobs have one name"
