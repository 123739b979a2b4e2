"""A glossary through mt_apertium in the embedded Triton."""

import pytest

from client.mt import TritonMt
from orchestrator.glossary import translate_with

pytestmark = pytest.mark.triton


@pytest.fixture(scope="module")
def translate(connection):
    mt = TritonMt(connection, "mt_apertium", timeout_s=60.0)
    return lambda text: mt.translate(text, "en", "es")


@pytest.mark.parametrize(
    ("text", "glossary", "expected"),
    [
        ("Tomorrow we will fly to the moon.", {"moon": "Luna"}, "Mañana volaremos a la Luna."),
        ("Tomorrow we will fly to the moon.", {"moon": "satélite"}, "Mañana volaremos al satélite."),
        ("the journey takes three days", {"journey": "travesía"}, None),
        ("We sell rockets to every friend.", {"rockets": "cohetes Ada", "friend": "colega"}, None),
        ("Moonlight is white.", {"moon": "Luna"}, None),
        ("Zorblax is our best product.", {"zorblax": "Zorbláx"}, "Zorbláx es nuestro producto mejor."),
    ],
)
def test_terms_are_said_as_the_glossary_wants(translate, text, glossary, expected):
    kept = translate_with(text, glossary, translate)
    assert kept.missed == ()
    assert "qzx" not in kept.text.lower()
    if expected is not None:
        assert kept.text == expected
    if text != "Moonlight is white.":
        assert all(wanted in kept.text for wanted in glossary.values())
    else:
        assert "Luna" not in kept.text
