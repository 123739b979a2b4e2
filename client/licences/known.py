"""Licences that models come under, and whether each allows commercial use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Terms of weights or of a program."""

    identifier: str
    """SPDX's where there is one, else "LicenseRef-...": one word that programs may compare."""
    name: str
    commercial_use: bool | None
    """None: nobody says, so nobody may count on it."""
    meaning: str
    """What whoever uses it must know; a sentence without a full stop."""
    url: str
    """The text; "" where there is none to point at."""

    @property
    def needs_acceptance(self) -> bool:
        """Whether it is taken only by somebody who says so: everything that is not free for commercial use."""
        return self.commercial_use is not True


_GPL = "the programs may be used for anything; who passes them on passes on their source code"
_ATTRIBUTION = "any use, also commercial, as long as the authors are named"
_NON_COMMERCIAL = "any use that is not commercial, as long as the authors are named"

NOT_STATED = "not-stated"

_KNOWN = (
    Licence("Apache-2.0", "Apache Licence 2.0", True, _ATTRIBUTION, "https://www.apache.org/licenses/LICENSE-2.0"),
    Licence("MIT", "MIT Licence", True, _ATTRIBUTION, "https://opensource.org/license/mit"),
    Licence("BSD-2-Clause", "BSD 2-Clause Licence", True, _ATTRIBUTION, "https://opensource.org/license/bsd-2-clause"),
    Licence("BSD-3-Clause", "BSD 3-Clause Licence", True, _ATTRIBUTION, "https://opensource.org/license/bsd-3-clause"),
    Licence("GPL-2.0-only", "GNU General Public License 2", True, _GPL, "https://www.gnu.org/licenses/gpl-2.0.html"),
    Licence(
        "GPL-2.0-or-later", "GNU General Public License 2 or later", True, _GPL,
        "https://www.gnu.org/licenses/gpl-2.0.html",
    ),
    Licence(
        "GPL-3.0-or-later", "GNU General Public License 3 or later", True, _GPL,
        "https://www.gnu.org/licenses/gpl-3.0.html",
    ),
    Licence(
        "CC-BY-4.0", "Creative Commons Attribution 4.0", True, _ATTRIBUTION,
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    Licence(
        "CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0", True,
        f"{_ATTRIBUTION} and changed versions come under the same licence",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    Licence(
        "CC-BY-NC-4.0", "Creative Commons Attribution-NonCommercial 4.0", False, _NON_COMMERCIAL,
        "https://creativecommons.org/licenses/by-nc/4.0/",
    ),
    Licence(
        "CC-BY-NC-SA-4.0", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", False,
        f"{_NON_COMMERCIAL} and changed versions come under the same licence",
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    ),
    Licence(
        "CC-BY-NC-ND-4.0", "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0", False,
        f"{_NON_COMMERCIAL} and nothing changed is passed on", "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    ),
    Licence(
        "LicenseRef-CPML", "Coqui Public Model License 1.0.0", False,
        "neither the model nor the speech that it makes may be used commercially; the firm that could sell other terms "
        "no longer exists",
        "https://huggingface.co/coqui/XTTS-v2/blob/main/LICENSE.txt",
    ),
    Licence(
        "LicenseRef-Wav2Lip", "Terms of the Wav2Lip authors", False,
        "the weights were trained on the LRS2 data set: they, and the videos made with them, are for research and "
        "personal purposes only, any commercial use is forbidden",
        "https://github.com/Rudrabha/Wav2Lip",
    ),
)  # fmt: skip

_BY_IDENTIFIER = {licence.identifier.casefold(): licence for licence in _KNOWN}
_ALIASES = {"coqui-public-model-license": "LicenseRef-CPML", "cpml": "LicenseRef-CPML"}
"""What model cards call them instead."""


def licence_by_identifier(identifier: str) -> Licence:
    """Return the licence of that identifier, whatever its case; one that is not known here allows nothing for sure."""
    found = _BY_IDENTIFIER.get(_ALIASES.get(identifier.casefold(), identifier).casefold())
    if found is not None:
        return found
    meaning = "its terms are not known here: read them before you use the model"
    return Licence(identifier, identifier, None, meaning, "")


def not_stated() -> Licence:
    """Return what stands for a licence that nobody stated."""
    meaning = "nobody stated a licence: without one nothing is allowed, ask whoever published the model"
    return Licence(NOT_STATED, "not stated", None, meaning, "")
