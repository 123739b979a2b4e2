import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.workers.long_text import split_text

texts = st.text(st.sampled_from("abcéñ  .,?!;今天。，\u0301"), max_size=300)


def bare(text: str) -> str:
    return "".join(text.split())


@given(texts, st.integers(1, 60))
def test_no_part_is_too_long_or_empty_and_nothing_is_lost(text, limit):
    parts = split_text(text, "es", limit)
    assert bare("".join(parts)) == bare(text)
    if len(text) > limit:
        assert all(part and len(part) <= limit for part in parts)


@given(texts)
def test_what_fits_or_has_no_limit_stays_as_it_is(text):
    assert split_text(text, "es", max(1, len(text))) == [text]
    assert split_text(text, "es", None) == [text]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("Uno dos. Tres cuatro. Cinco", 22, ["Uno dos. Tres cuatro.", "Cinco"]),
        ("Uno dos. Tres cuatro cinco seis.", 24, ["Uno dos.", "Tres cuatro cinco seis."]),
        ("Uno dos, tres cuatro cinco", 20, ["Uno dos,", "tres cuatro cinco"]),
        ("uno dos tres", 8, ["uno dos", "tres"]),
        ("今天天气很好。我们去公园。", 8, ["今天天气很好。", "我们去公园。"]),
        ("supercalifragilístico", 10, ["supercalif", "ragilístic", "o"]),
        ("«¿Dónde?» preguntó. Nada.", 20, ["«¿Dónde?» preguntó.", "Nada."]),
    ],
)
def test_a_text_is_cut_where_a_speaker_would_pause(text, limit, parts):
    assert split_text(text, "es", limit) == parts
