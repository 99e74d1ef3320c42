"""One synthetic registry, made once, for the tests that read it."""

import pytest

from registry.records import EventRecord, ImplantRecord
from registry.synthetic import SyntheticRegistry, registry
from registry.vocabulary import Actuality


@pytest.fixture(scope="session")
def made() -> SyntheticRegistry:
    return registry(events=30_000, sites=12, seed=20)


@pytest.fixture(scope="session")
def implants(made: SyntheticRegistry) -> dict[tuple[str, str], ImplantRecord]:
    return {(row.site, row.implant): row for row in made.implants()}


@pytest.fixture(scope="session")
def events(made: SyntheticRegistry) -> list[EventRecord]:
    return list(made.events())


def at_risk(event: EventRecord, implant: ImplantRecord) -> bool:
    months = event.months_since_implant or 0
    entered = implant.months_to_entry == 0 or months > implant.months_to_entry
    return entered and months <= implant.months_followed


@pytest.fixture(scope="session")
def counted(events, implants) -> list[tuple[EventRecord, ImplantRecord]]:
    """Actual events in device time, with their implants."""
    pairs = (
        (event, implants[event.site, event.implant])
        for event in events
        if event.implant and event.actuality is not Actuality.NEAR_MISS
    )
    return [(event, implant) for event, implant in pairs if at_risk(event, implant)]
