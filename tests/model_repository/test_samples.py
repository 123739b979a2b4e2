"""The samples that are committed beside the embedded engines, held against the engines."""

from pathlib import Path

import pytest

from client.repository import ModelRepository
from client.triton import TritonConnection
from orchestrator.models.probing import BY_SAMPLE, probe

REPOSITORY = Path(__file__).parents[2] / "model_repository"
MODELS = [
    "faces_haar",
    "lips_warp",
    "mt_apertium",
    "sentence_boundary",
    "sentence_boundary_net",
    "sentence_boundary_tokens",
    "stt_pocketsphinx",
    "tts_espeak",
]


@pytest.mark.triton
@pytest.mark.parametrize("model", MODELS)
def test_every_engine_answers_its_sample_as_recorded(connection: TritonConnection, model: str) -> None:
    """After a change of what it answers: `polylip models record NAME`."""
    folder = REPOSITORY / model / "1"
    assert probe(ModelRepository(connection), model, folder, timeout_s=60.0) == BY_SAMPLE
