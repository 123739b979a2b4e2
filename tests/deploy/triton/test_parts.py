from pathlib import Path

import pytest

from deploy.errors import TritonStartFailed
from deploy.triton.embedded import CHECKOUT
from deploy.triton.parts import with_parts

ROUTER = (CHECKOUT / "model_repository" / "mt_opus" / "config.pbtxt").read_text("utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, config in (("mt_opus", ROUTER), ("tts_espeak", 'name: "tts_espeak"')):
        (tmp_path / name / "1").mkdir(parents=True)
        (tmp_path / name / "config.pbtxt").write_text(config, "utf-8")
    return tmp_path


def test_a_routing_engine_brings_the_models_of_pairs_that_have_a_version(repository: Path) -> None:
    for name in ("opus_mt_es_en/2", "opus_mt_en_es/1", "opus_mt_en_de/.export-7", "other_mt_en_fr/1"):
        (repository / name).mkdir(parents=True)
    found = with_parts(repository, ["mt_opus", "tts_espeak", "opus_mt_en_es"])
    assert found == ("mt_opus", "tts_espeak", "opus_mt_en_es", "opus_mt_es_en")


def test_other_models_bring_nothing(repository: Path) -> None:
    (repository / "opus_mt_en_es" / "1").mkdir(parents=True)
    assert with_parts(repository, ["tts_espeak", "nobody"]) == ("tts_espeak", "nobody")


def test_a_routing_engine_without_any_model_says_what_makes_one(repository: Path) -> None:
    with pytest.raises(TritonStartFailed, match=r"no opus_mt_\* has a version: run `polylip models export marian"):
        with_parts(repository, ["mt_opus"])
