"""The committed network: it is what its manifest says, and as good on texts that it has not learnt from."""

import hashlib
import json
from pathlib import Path

import pytest

from client.config_file import read_config_file
from export.runtime import open_graph
from export.sentence_boundary.build import answers_of
from export.sentence_boundary.examples import Example
from export.sentence_boundary.family import FAMILY
from export.sentence_boundary.packages import PACKAGES
from export.sentence_boundary.scores import scores, truth
from export.signature import check_config, check_graph

CHECKOUT = Path(__file__).parents[3]
MODEL = CHECKOUT / "model_repository" / FAMILY.triton_model
GRAPH = MODEL / "1" / "model.onnx"
HELD_OUT = CHECKOUT / "tests" / "testdata" / "boundary" / "heldout.jsonl"


@pytest.fixture(scope="module")
def manifest():
    return json.loads((MODEL / "1" / "manifest.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def examples():
    return [Example(**json.loads(line)) for line in HELD_OUT.read_text("utf-8").splitlines()]


def test_the_graph_is_the_one_that_was_scored_and_small(manifest):
    content = GRAPH.read_bytes()
    assert hashlib.sha256(content).hexdigest() == manifest["graph_sha256"]
    assert len(content) < 4_000_000


def test_graph_and_config_have_the_tensors_that_were_promised():
    check_graph(GRAPH, FAMILY.signature)
    check_config(read_config_file(MODEL / "config.pbtxt"), FAMILY.signature)


def test_the_manifest_names_every_package_with_version_licence_and_hash(manifest):
    assert [each["name"] for each in manifest["packages"]] == [each.name for each in PACKAGES]
    assert all(each["version"] and each["licence"] and len(each["sha256"]) == 64 for each in manifest["packages"])


def test_the_committed_sample_scores_as_the_manifest_says(manifest, examples):
    found = scores(truth(examples), answers_of(open_graph(GRAPH), examples))
    told = manifest["sample"]
    assert found.examples == told["examples"]
    assert found.accuracy == pytest.approx(told["accuracy"], abs=0.005)  # another processor rounds otherwise
    assert found.precision_at_gate == pytest.approx(told["precision_at_gate"], abs=0.01)


def test_the_sample_is_balanced_over_languages_and_styles(examples):
    parts = [(each.language, each.style, each.complete) for each in examples]
    counts = {part: parts.count(part) for part in set(parts)}
    assert len(counts) == 8
    assert len(set(counts.values())) == 1
