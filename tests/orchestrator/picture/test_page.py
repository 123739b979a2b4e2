import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.picture.dub import DrawnSentence, read_dub
from orchestrator.picture.page import timeline_page
from orchestrator.picture.rows import ROW_MS, Row, draw_row, rows_of
from orchestrator.settings import TimingSettings
from tests.finished_dub import write_dub

LEVELS = np.linspace(-60, 0, 400, dtype=np.float32)


@pytest.fixture
def page(tmp_path):
    write_dub(tmp_path / "a <dub>")
    return timeline_page(read_dub(tmp_path / "a <dub>"), LEVELS, LEVELS, TimingSettings())


def rows(page):
    return [
        ElementTree.fromstring(svg)
        for svg in re.findall(r'<svg class="row".*?</svg>(?=<svg class="row"|</main>)', page)
    ]


def boxes(row):
    return [box.get("class") for box in row.iter("rect") if box.get("class").startswith("box")]


def test_the_page_needs_no_other_file(page):
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]|https?:", page)


def test_what_the_engine_remarked_on_stands_beside_its_sentence_and_is_no_markup(page):
    assert page.count("<small>") == 1
    assert "dos<br><small>spoken again: 9 s for &lt;3&gt; letters</small></td>" in page


def test_what_was_said_is_text_and_never_markup(page):
    assert "<b>you</b>" not in page
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page
    assert "Hola &amp; adiós" in page
    assert "<title>a &lt;dub&gt;: en → es</title>" in page


def test_every_row_is_well_formed_and_has_the_sentences_of_its_time(page):
    first, second = rows(page)
    assert boxes(first) == ["box source", "box dub fits"]
    assert boxes(second) == ["box source", "box dub overflow", "box source kept"]


def test_a_sentence_that_goes_over_the_end_of_a_row_is_in_both(tmp_path):
    sentence = DrawnSentence(9_000, 11_000, "tight", "two", "dos", 9_500, 12_000)
    for row in (Row(0, 10_000), Row(10_000, 20_000)):
        drawn = ElementTree.fromstring(draw_row(row, [sentence], None, LEVELS, TimingSettings()))
        assert boxes(drawn) == ["box source", "box dub tight"]
    assert not boxes(ElementTree.fromstring(draw_row(Row(20_000, 30_000), [sentence], None, LEVELS, TimingSettings())))


def test_energy_of_both_is_drawn_and_a_missing_source_is_told(tmp_path, page):
    assert page.count('class="energy source"') == page.count('class="energy dub"') == 2
    write_dub(tmp_path / "dub")
    alone = timeline_page(read_dub(tmp_path / "dub"), None, LEVELS, TimingSettings())
    assert 'class="energy source"' not in alone
    assert "clip was not given" in alone


def test_rates_lateness_and_silence_are_in_the_table(page):
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    for cell in ("1.98 s", "1.10", "1.25", "700 ms", "overflow", "kept"):
        assert cell in cells


@given(st.integers(1, 4 * 3_600_000))
def test_rows_cover_the_clip_without_a_hole(duration_ms):
    drawn = rows_of(duration_ms)
    assert drawn[0].from_ms == 0
    assert drawn[-1].to_ms >= duration_ms
    for before, after in itertools.pairwise(drawn):
        assert before.to_ms == after.from_ms
    assert all(0 < row.to_ms - row.from_ms <= ROW_MS for row in drawn)


@given(st.integers(-10_000, 40_000), st.integers(0, 5000))
def test_time_goes_from_left_to_right_within_the_row(ms, later_ms):
    row = Row(15_000, 30_000)
    assert row.x(15_000) <= row.x(ms) <= row.x(ms + later_ms) <= row.x(30_000)
