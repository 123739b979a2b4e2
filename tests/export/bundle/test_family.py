import pytest

from export.bundle.family import BUNDLES, bundle, check_offered
from export.bundle.measure import GateRecord, Measure, check_measures
from export.errors import ParityMissed, UnknownName
from export.family import FAMILIES, family
from export.precision.graphs import FORMATS


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_keeps_what_it_states(name):
    found = bundle(name)
    assert found.name == name
    assert set(found.precisions) <= set(FORMATS)
    assert "fp32" in found.precisions
    assert "reduced" in found.sizes
    assert found.licence.endswith(".")
    assert found.published_files


def test_no_name_is_of_two_kinds_and_a_wrong_one_is_answered_with_all():
    assert not set(BUNDLES) & set(FAMILIES)
    with pytest.raises(UnknownName, match=r"there are .*s3fd.* whisper"):
        family("wisper")
    with pytest.raises(UnknownName, match=r"there are .*whisper"):
        bundle("wav2lip")
    with pytest.raises(UnknownName, match="no precision of whisper is called 'bf16'"):
        check_offered(bundle("whisper"), "bf16")


@pytest.mark.parametrize(
    ("measure", "fits", "text"),
    [
        (Measure("kl", 0.1, 0.1), True, "kl 0.1 (at most 0.1)"),
        (Measure("kl", 0.11, 0.1), False, "kl 0.11 (at most 0.1)"),
        (Measure("share", 0.95, 0.9, at_least=True), True, "share 0.95 (at least 0.9)"),
        (Measure("share", 0.89, 0.9, at_least=True), False, "share 0.89 (at least 0.9)"),
        (Measure("seen", 7, None), True, "seen 7"),
        (Measure("kl", float("nan"), 0.1), False, "kl nan (at most 0.1)"),
        (Measure("share", float("nan"), 0.9, at_least=True), False, "share nan (at least 0.9)"),
    ],
)
def test_a_figure_is_held_against_its_limit(measure, fits, text):
    assert (measure.fits, str(measure)) == (fits, text)
    if fits:
        check_measures("toy", [measure])
    else:
        with pytest.raises(ParityMissed, match=r"^toy: "):
            check_measures("toy", [Measure("other", 0, 1), measure])


def test_a_record_is_plain_json():
    record = GateRecord("fp32", 1, "the original", {"sources": 2}, (Measure("kl", 0.5, None),))
    assert record.as_json()["measures"] == ({"name": "kl", "value": 0.5, "limit": None, "at_least": False},)
