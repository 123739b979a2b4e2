import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.artefacts import Artefact, check_name, in_revision, of_revision


@pytest.mark.parametrize("artefact", list(Artefact))
def test_every_artefact_has_a_storable_name(artefact):
    assert check_name(artefact.in_language("es")) == artefact.value.replace("<lang>", "es")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../clip", "clip/../clip", "/etc/passwd", "clip\n", "clip\x00", "Clip", "resultXmp4"),
        *("r1.clip/", "r0.clip", "r01.clip", "r2.", "cache/", "cache/abc", "cache/../clip", "r2.cache/" + "a" * 64),
        *("subtitles.<lang>.srt", "subtitles.../../x.srt", "subtitles.ES.srt", "subtitles.toolong.srt"),
    ],
)
def test_no_other_name_passes(name):
    with pytest.raises(ValueError, match="names no artefact"):
        check_name(name)


@given(st.text())
def test_a_name_that_passes_never_leaves_its_folder(name):
    try:
        check_name(name)
    except ValueError:
        return
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")


@pytest.mark.parametrize("language", ["", "ES", "e", "../", "espa", "e\n"])
def test_subtitles_exist_only_in_languages(language):
    with pytest.raises(ValueError, match="no ISO 639 code"):
        Artefact.SUBTITLES_SRT.in_language(language)


@given(st.sampled_from([kind.in_language("es") for kind in Artefact]), st.integers(1, 10**6), st.integers(1, 10**6))
def test_revisions_have_names_of_their_own(name, revision, other):
    stored = check_name(in_revision(name, revision))
    assert of_revision([stored], revision) == [name]
    assert revision == other or of_revision([stored], other) == []


def test_a_result_of_a_stage_is_stored_under_its_hash():
    assert check_name("cache/" + "0a" * 32)
