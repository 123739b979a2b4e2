"""The check sees what it is there to see: each test breaks one thing in a copy."""

import json
import shutil
from pathlib import Path

import pytest

from deploy.check.observability import DOCUMENT, FOLDER, check_observability
from deploy.check.promql import Selector, selectors
from deploy.triton.embedded import CHECKOUT

ALERTS = FOLDER / "alerts.yml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / FOLDER, tmp_path / FOLDER)
    (tmp_path / DOCUMENT).parent.mkdir()
    shutil.copy(CHECKOUT / DOCUMENT, tmp_path / DOCUMENT)
    return tmp_path


def test_the_shipped_files_have_no_fault() -> None:
    assert check_observability(CHECKOUT) == []


def test_selectors_are_found_in_every_part_of_an_expression() -> None:
    found = selectors(
        'sum by (le) (rate(a_bucket{x="1"}[5m])) / on () (b or c{y!~"2"}) > max_over_time((d > 1)[5m:1m])'
    )
    assert found == [Selector("a_bucket", ("x",)), Selector("b", ()), Selector("c", ("y",)), Selector("d", ())]


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("polylip_parked_total", "polylip_parked", "no process of ours exports polylip_parked"),
        ("for: 10m", "for: ten minutes", "ten minutes is no duration"),
        ("severity: critical", "severity: bad", "its severity is none of"),
        ("alert: PolylipStageFails", "alert: PolylipStageBreaks", "does not say what to do"),
        ("summary: A session", "title: A session", "needs a summary and a description"),
        ("> 0.1\n", "> > 0.1\n", "alerts.yml: PolylipDubsFail: "),
        ("labels: {severity: info}", "labels: {severity: info}\n        wait: 1h", "Prometheus knows no wait"),
    ],
)
def test_a_fault_in_a_rule_is_found(copy: Path, before: str, after: str, finding: str) -> None:
    text = (copy / ALERTS).read_text(encoding="utf-8")
    (copy / ALERTS).write_text(text.replace(before, after, 1), encoding="utf-8")
    assert any(finding in each for each in check_observability(copy))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"datasource": {"type": "prometheus", "uid": "mine"}}, "its data source is not"),
        ({"targets": []}, "needs a target and a unit"),
        ({"gridPos": {"x": 20, "y": 0, "w": 8, "h": 7}}, "lies outside the grid"),
        ({"gridPos": {"x": 8, "y": 0, "w": 8, "h": 7}}, "lies over"),
        ({"id": 2}, "two panels have one id"),
    ],
)
def test_a_fault_in_a_panel_is_found(copy: Path, change: dict[str, object], finding: str) -> None:
    path = copy / FOLDER / "dashboards" / "polylip-dubs.json"
    board = json.loads(path.read_text(encoding="utf-8"))
    board["panels"][0] |= change
    path.write_text(json.dumps(board), encoding="utf-8")
    assert any(finding in each for each in check_observability(copy))


def test_a_rule_file_that_is_not_there_is_found(copy: Path) -> None:
    (copy / FOLDER / "prometheus.yml").write_text("rule_files: [none.yml]\nscrape_configs: []\n", encoding="utf-8")
    assert check_observability(copy) == ["prometheus.yml: there is no none.yml"]
