"""Which licence is in force, and when it must be accepted."""

import pytest

from export.pull.errors import LicenceNotAccepted
from export.pull.licences import check_accepted, licence_in_force


@pytest.mark.parametrize(
    ("authors", "card", "published", "in_force"),
    [
        ("MIT", "", True, "MIT"),
        ("MIT", "apache-2.0", True, "Apache-2.0"),
        ("CC-BY-4.0", "apache-2.0", True, "Apache-2.0"),
        ("MIT", "cc-by-nc-4.0", True, "CC-BY-NC-4.0"),
        ("LicenseRef-Wav2Lip", "mit", True, "LicenseRef-Wav2Lip"),  # a mirror cannot free what its authors have not
        ("LicenseRef-CPML", "coqui-public-model-license", True, "LicenseRef-CPML"),
        ("MIT", "", False, "not-stated"),
        ("MIT", "openrail++", False, "openrail++"),
    ],
)
def test_the_stricter_of_authors_and_card_is_in_force(authors, card, published, in_force):
    assert licence_in_force(authors, card, published=published).identifier == in_force


@pytest.mark.parametrize("identifier", ["LicenseRef-Wav2Lip", "LicenseRef-CPML", "cc-by-nc-4.0", "openrail++"])
def test_what_is_not_free_for_commerce_is_refused_until_it_is_accepted_and_says_what_it_means(identifier):
    licence = licence_in_force(identifier, "", published=True)
    with pytest.raises(LicenceNotAccepted) as caught:
        check_accepted(licence, "it", accepted=False)
    assert licence.meaning in str(caught.value)
    assert "--accept-licence" in str(caught.value)
    check_accepted(licence, "it", accepted=True)


@pytest.mark.parametrize("identifier", ["MIT", "CC-BY-4.0", "Apache-2.0", "BSD-3-Clause"])
def test_what_is_free_for_any_use_needs_no_word(identifier):
    check_accepted(licence_in_force(identifier, "", published=True), "it", accepted=False)
