"""The profile of an answer; depends on the caller, never on a parameter."""

from registry.records import EventQuery, Fault, NotPermitted, Viewer
from registry.vocabulary import NOT_RECORDED, Profile


def profile_of(query: EventQuery, viewer: Viewer) -> Profile:
    """Exact for viewers of all rows, and for members asking only about their own sites.

    Raises NotPermitted for viewers without the right to ask.
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
