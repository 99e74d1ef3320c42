"""Keeps the receipt of an answer under a short code, for a permanent page."""

from hashlib import sha256 as digest_of

from registry.models import Citation, User


def keep_citation(
    receipt: str, *, by: User, is_public: bool, sha256: str, code_version: str
) -> Citation:
    """Gives a receipt its short code; the same receipt always has the same one.

    The caller has read the receipt and seen its answer. is_public: whether the public can ask for
    the answer at this moment; an answer once public stays so. sha256: of its CSV.
    """
    kept, is_new = Citation.objects.get_or_create(
        receipt_digest=digest_of(receipt.encode()).hexdigest(),
        defaults={
            "receipt": receipt,
            "is_public": is_public,
            "sha256": sha256,
            "code_version": code_version,
            "cited_by": by,
        },
    )
    if is_public and not is_new and not kept.is_public:
        Citation.objects.filter(pk=kept.pk).update(is_public=True)
        kept.is_public = True
    return kept


def citation_of(code: str) -> Citation | None:
    """The citation of a short code; None where there is none."""
    return Citation.objects.filter(code=code).first()
