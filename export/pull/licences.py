"""Under which licence a download comes, as the catalogue and the source's own card say; and whether it is accepted."""

from client.licences.known import Licence, licence_by_identifier, not_stated
from export.pull.errors import LicenceNotAccepted


def licence_in_force(catalogue: str, card: str, *, published: bool) -> Licence:
    """Return the stricter of what the family's authors say and what the source's model card says.

    `catalogue`: identifier for the published weights; `card`: what the source says, "" nothing; `published`: whether
    the source is the one that the catalogue names. A card cannot make free what the authors have not: mirrors of
    non-commercial weights often carry a licence of the mirror's maker.
    """
    authors = licence_by_identifier(catalogue)
    if authors.commercial_use is not True:
        return authors
    if card:
        return licence_by_identifier(card)
    return authors if published else not_stated()


def check_accepted(licence: Licence, what: str, *, accepted: bool) -> None:
    """Refuse what is not free for any use until somebody accepts it (LicenceNotAccepted, which says what it means)."""
    if accepted or not licence.needs_acceptance:
        return
    where = f" ({licence.url})" if licence.url else ""
    raise LicenceNotAccepted(
        f"{what} comes under: {licence.name}{where}. That means: {licence.meaning}. "
        "If you accept that and keep to it, say --accept-licence; nothing was downloaded"
    )
