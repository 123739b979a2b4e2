import pytest

from orchestrator.errors import NotAVideo
from orchestrator.media.open import open_clip
from tests.media_factory import make_clip


@pytest.mark.parametrize(
    "script", ["ffconcat version 1.0\nfile 'neighbour.ts'\n", "#EXTM3U\n#EXTINF:1,\nneighbour.ts\n#EXT-X-ENDLIST\n"]
)
def test_readers_refuse_a_playlist_too(tmp_path, script):
    make_clip(tmp_path / "neighbour.ts", duration_s=0.2)
    path = tmp_path / "clip.mp4"
    path.write_text(script)
    with pytest.raises(NotAVideo), open_clip(path):
        pass


def test_an_address_is_only_a_file_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError), open_clip(tmp_path.relative_to(tmp_path) / "http:x.mp4"):
        pass


def test_messages_name_no_path(tmp_path):
    path = tmp_path / "secret-tenant" / "clip.mp4"
    path.parent.mkdir()
    path.write_text("nothing")
    with pytest.raises(NotAVideo) as refusal, open_clip(path):
        pass
    assert "secret-tenant" not in str(refusal.value)
