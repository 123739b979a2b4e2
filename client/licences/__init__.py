"""The licence manifest: under which terms every served model may be used.

`known` has the licences, `served` what is known of models by their names, `manifest` puts that together with what a
version says of itself.
"""

from client.licences.known import Licence, licence_by_identifier, not_stated
from client.licences.manifest import ModelLicence, licence_of

__all__ = ["Licence", "ModelLicence", "licence_by_identifier", "licence_of", "not_stated"]
