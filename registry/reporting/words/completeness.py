"""How complete the data behind an answer are, in words."""

from collections.abc import Collection
from typing import Any

from registry.records import Cell
from registry.snapshot.manifest import Manifest
from registry.vocabulary import Profile

EXACT = (
    "Of all {components}s of the sites asked for, and of their accepted events of these "
    "complications; other filters do not narrow it down."
)
PROTECTED = (
    "Of all {components}s of the release, whatever was asked: made of perturbed numbers, shares in "
    "whole per cent, and only of sites whose number of devices may be shown."
)


def about(profile: Profile, components: Collection[str]) -> str:
    """What the completeness of an answer is of."""
    said = EXACT if profile is Profile.EXACT else PROTECTED
    return said.format(components="s and ".join(sorted(components, reverse=True)))


def rounds_of(manifest: Manifest, sites: Collection[Cell]) -> dict[str, Any]:
    """Up to which closed follow-up rounds data of sites are complete: how many closed one, when.

    first, last: the days of the earliest and the latest of the sites' last closed rounds; None
    where no site has closed one.
    """
    closed = sorted(day for site, day in manifest.closed_on.items() if site in sites)
    return {
        "sites_with_a_closed_round": len(closed),
        "of": len(sites),
        "first": closed[0] if closed else None,
        "last": closed[-1] if closed else None,
    }
