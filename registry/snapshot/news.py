"""Tells whether a freeze would read anything that the working snapshot does not hold.

Most seals are of what no snapshot holds: tokens, queries, agreements, passwords, releases.
"""

from registry.models import Event, Exposure, Implant, Patient
from registry.snapshot.context import HandsOf, hands_now, rounds_closed_on, terms_now
from registry.snapshot.manifest import Manifest
from registry.snapshot.shelf import Working
from registry.snapshot.source import goes_on_from


def holds_all(working: Working, manifest: Manifest, *, hands_of: HandsOf) -> bool:
    """Whether rows, catalogue, sites, hands and rounds are as they were at the working freeze.

    manifest: of the working snapshot. False also where the database is not the one that was frozen,
    or does not go on from there. Five queries where a row is newer, about fifteen otherwise.
    """
    if not goes_on_from(working):
        return False
    frozen_at = working.seal_number
    rows = [model.objects.filter(seal__gt=frozen_at) for model in (Event, Implant, Exposure)]
    patients = Patient.history.filter(seal_number__gt=frozen_at)
    if any(newer.exists() for newer in (*rows, patients)):
        return False
    return (
        terms_now().as_json() == manifest.terms.as_json()
        and hands_now(hands_of) == manifest.hands
        and rounds_closed_on() == manifest.closed_on
    )
