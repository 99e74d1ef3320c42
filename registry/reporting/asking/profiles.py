"""Which profile an answer has: it follows from the caller, never from a parameter."""

from registry.records import EventQuery, Fault, NotPermitted, Viewer
from registry.vocabulary import NOT_RECORDED, Profile


def profile_of(query: EventQuery, viewer: Viewer) -> Profile:
    """Exact for whoever may see all rows, and for members asking about their own sites alone.

    Raises NotPermitted for whoever may not ask at all.
    """
    if not viewer.may_ask:
        raise NotPermitted(
            Fault(
                "",
                "no-statistics",
                "Statistics are open to site members, researchers, analysts, reviewers and data "
                "managers.",
            )
        )
    sites = set(query.values("site"))
    own = bool(sites) and sites <= viewer.exact_sites and NOT_RECORDED not in sites
    return Profile.EXACT if viewer.exact_everywhere or own else Profile.PROTECTED
