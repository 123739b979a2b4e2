import pytest

from orchestrator.errors import BadRequest
from orchestrator.picture.dub import read_dub
from tests.finished_dub import write_dub


def test_a_folder_of_a_finished_dub_is_read(tmp_path):
    write_dub(tmp_path / "my dub")
    dub = read_dub(tmp_path / "my dub")
    assert dub.name == "my dub"
    assert [sentence.verdict for sentence in dub.sentences] == ["fits", "overflow", "kept"]
    assert [sentence.dubbed for sentence in dub.sentences] == [True, True, False]
    assert dub.report.timing.rate_p95 == 1.5


@pytest.mark.parametrize("name", ["segments.json", "report.json", "result.mp4"])
def test_a_file_that_is_missing_is_named(tmp_path, name):
    write_dub(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadRequest, match=name):
        read_dub(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"segments": [{"start_ms": "soon"}]}'])
def test_a_file_that_is_not_ours_is_named(tmp_path, content):
    write_dub(tmp_path)
    (tmp_path / "segments.json").write_text(content)
    with pytest.raises(BadRequest, match=r"segments\.json is not as this release writes it"):
        read_dub(tmp_path)
