"""What Triton does not complain about in a config.pbtxt, and should."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

REPOSITORY = Path(__file__).parents[2] / "model_repository"
CONFIGS = sorted(REPOSITORY.glob("*/config.pbtxt"))
WARMED = [path for path in CONFIGS if "model_warmup" in path.read_text("utf-8")]


def parsed(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def name(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_a_config_is_written_out(path):
    config = parsed(path)
    assert config.name == path.parent.name
    assert config.input
    assert config.output
    assert config.instance_group or config.platform == "ensemble"


@pytest.mark.parametrize("path", WARMED, ids=name)
def test_a_warm_up_runs_and_feeds_every_input(path):
    config = parsed(path)
    for sample in config.model_warmup:
        assert sample.batch_size >= 1  # Triton silently skips a sample of batch size 0, the default
        assert set(sample.inputs) == {tensor.name for tensor in config.input}
        files = [tensor.input_data_file for tensor in sample.inputs.values() if tensor.input_data_file]
        assert all((path.parent / "warmup" / file).is_file() for file in files)
