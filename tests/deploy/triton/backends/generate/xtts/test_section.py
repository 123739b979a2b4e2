from pathlib import Path
from typing import Any

import pytest
from generate.fields import BadFolder, Fields
from generate.xtts.section import read_section

from .conftest import SECTION


def read(**changes: Any) -> Any:
    return read_section(Fields(Path("7"), {**SECTION, **changes}, "xtts"), 24)


def test_a_section_is_read() -> None:
    section = read()
    assert section.languages == ("en", "es", "zh-cn")
    assert (section.conditioning_length_s, section.conditioning_chunk_s, section.max_reference_s) == (6.0, 2.0, 4.0)
    assert section.codes_per_s == pytest.approx(21.53, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_audio": 24}, "xtts.start_audio must be a whole number"),
        ({"languages": []}, "xtts.languages must be a list of language codes"),
        ({"languages": "en"}, "xtts.languages must be a list of language codes"),
        ({"hop": None}, "xtts.hop must be"),
        ({"colour": 1}, "unknown field"),
        ({"conditioning": {"length_s": 6, "chunk_s": 0, "max_reference_s": 4}}, "xtts.conditioning.chunk_s must be"),
        ({"conditioning": None}, "xtts.conditioning must be an object"),
    ],
)
def test_an_odd_section_fails_the_load(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFolder) as refused:
        read(**changes)
    assert message in str(refused.value)
