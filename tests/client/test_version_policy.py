from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from client.errors import ContractViolation
from client.version_policy import candidate_config, stated_versions, steps_of, with_versions

REPOSITORY = Path(__file__).parents[2] / "model_repository"
CONFIGS = sorted(REPOSITORY.glob("*/config.pbtxt")) + sorted(REPOSITORY.glob("*/configs/*.pbtxt"))

VERSIONS = st.lists(st.integers(1, 10_000), min_size=1, max_size=5, unique=True)


def parsed(text: str) -> model_config_pb2.ModelConfig:
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def without_policy(text: str) -> model_config_pb2.ModelConfig:
    config = parsed(text)
    config.ClearField("version_policy")
    return config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_config_of_ours_can_be_told_its_versions_and_stays_as_it_was(path, tmp_path):
    text = with_versions(path, [3, 1])
    assert list(parsed(text).version_policy.specific.versions) == [1, 3]
    assert without_policy(text) == without_policy(path.read_text("utf-8"))
    assert set(path.read_text("utf-8").splitlines()) <= set(text.splitlines())  # comments and all


@settings(max_examples=25)
@given(first=VERSIONS, second=VERSIONS)
def test_the_last_choice_counts_and_the_file_does_not_grow(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("m") / "config.pbtxt"
    path.write_text('# mine\nname: "m"  # so\nbackend: "python"\n')
    once = with_versions(path, second)
    path.write_text(with_versions(path, first))
    assert with_versions(path, second) == once
    path.write_text(once)
    assert stated_versions(path) == tuple(sorted(second))


@pytest.mark.parametrize(
    "policy",
    [
        "version_policy { latest { num_versions: 2 } }",
        "version_policy: {\n  all { }\n}  # both",
        'version_policy { specific { versions: [ 1 ] } } backend: "python"',
    ],
)
def test_a_policy_written_by_hand_is_replaced(tmp_path, policy):
    path = tmp_path / "config.pbtxt"
    path.write_text(f'name: "m"\n{policy}\nmax_batch_size: 4\n')
    changed = parsed(with_versions(path, [7]))
    assert (list(changed.version_policy.specific.versions), changed.max_batch_size) == ([7], 4)
    assert changed.backend == parsed(path.read_text()).backend


def test_a_config_without_a_policy_states_no_versions(tmp_path):
    path = tmp_path / "config.pbtxt"
    path.write_text('name: "m"')
    assert stated_versions(path) is None


def test_a_broken_config_is_refused(tmp_path):
    path = tmp_path / "config.pbtxt"
    path.write_text("name: {")
    for read in (stated_versions, steps_of, lambda path: with_versions(path, [1])):
        with pytest.raises(ContractViolation, match=r"config\.pbtxt cannot be read"):
            read(path)


def test_a_candidate_is_the_same_model_by_another_name():
    path = REPOSITORY / "lips_warp" / "config.pbtxt"
    candidate, original = parsed(candidate_config(path, "other", 4)), parsed(path.read_text("utf-8"))
    assert (candidate.name, list(candidate.version_policy.specific.versions)) == ("other", [4])
    original.name = "other"
    candidate.ClearField("version_policy")
    assert candidate == original


def test_the_steps_of_an_ensemble_are_read():
    assert steps_of(REPOSITORY / "faces_s3fd" / "config.pbtxt") == ("s3fd", "s3fd_boxes")
    assert steps_of(REPOSITORY / "s3fd" / "config.pbtxt") == ()
