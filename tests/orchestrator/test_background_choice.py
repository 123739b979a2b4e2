import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.background_choice import BackgroundChoice, duck_level_db
from orchestrator.errors import BadRequest
from orchestrator.settings import SoundSettings


@pytest.mark.parametrize(
    ("text", "level_db"),
    [("", -18.0), ("duck", -18.0), (" DUCK ", -18.0), ("off", None), ("-24", -24.0), ("-6.5 dB", -6.5), ("0", 0.0)],
)
def test_the_field_says_how_loud_the_source_stays(text, level_db):
    assert duck_level_db(BackgroundChoice.parse(text), SoundSettings()) == level_db


def test_the_settings_decide_where_the_request_says_nothing():
    assert duck_level_db(None, SoundSettings(background="off")) is None
    assert duck_level_db(BackgroundChoice.parse("duck"), SoundSettings(background="off", duck_db=-30)) == -30


@pytest.mark.parametrize("text", ["on", "18", "-61", "--3", "-18dBdB", "nan", "-1e1", "-٣", "duck -18"])
def test_what_cannot_be_read_is_refused_by_name(text):
    with pytest.raises(BadRequest, match="background"):
        BackgroundChoice.parse(text)


@given(st.one_of(st.just("duck"), st.just("off"), st.integers(-60, 0).map(str)))
def test_what_was_read_is_written_so_that_it_reads_the_same(text):
    choice = BackgroundChoice.parse(text)
    assert BackgroundChoice.parse(str(choice)) == choice
    assert len(str(choice)) <= 16
