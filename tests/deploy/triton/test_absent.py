from pathlib import Path

import pytest

from deploy.triton.absent import why_absent


def model(repository: Path, name: str, *versions: str, config: str = "") -> None:
    for version in ("", *versions):
        (repository / name / version).mkdir(parents=True, exist_ok=True)
    (repository / name / "config.pbtxt").write_text(config)


def test_a_model_without_a_folder_is_not_there(tmp_path: Path) -> None:
    assert why_absent(tmp_path, "nobody") == "not in the model repository"


@pytest.mark.parametrize("beside", [(), ("configs",), (".export-7",)])
def test_an_exported_model_without_a_version_says_how_to_make_one(tmp_path: Path, beside: tuple[str, ...]) -> None:
    model(tmp_path, "lips_wav2lip", *beside)
    reason = why_absent(tmp_path, "lips_wav2lip")
    assert reason.startswith("lips_wav2lip has no version: run `polylip models export wav2lip --checkpoint PATH`")


def test_an_ensemble_is_told_of_the_step_that_has_no_version(tmp_path: Path) -> None:
    steps = 'ensemble_scheduling { step [ { model_name: "s3fd" }, { model_name: "s3fd_boxes" } ] }'
    model(tmp_path, "faces_s3fd", "1", config=steps)
    model(tmp_path, "s3fd")
    model(tmp_path, "s3fd_boxes", "1")
    reason = why_absent(tmp_path, "faces_s3fd")
    assert reason.startswith("s3fd has no version: run `polylip models export s3fd")
    assert "s3fd_boxes" not in reason


def test_another_model_without_a_version_says_just_that(tmp_path: Path) -> None:
    model(tmp_path, "mine")
    assert why_absent(tmp_path, "mine") == "mine has no version"


def test_what_cannot_be_explained_points_to_the_log(tmp_path: Path) -> None:
    model(tmp_path, "odd", "1")
    assert "log" in why_absent(tmp_path, "odd")
