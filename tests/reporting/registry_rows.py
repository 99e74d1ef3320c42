"""A registry with the published cohort, as an import leaves it."""

from pathlib import Path

from registry.intake import import_records, load_catalogue
from registry.models import Role, User
from registry.records import RowKind
from tests.factories import UserFactory

SAMPLES = Path(__file__).parents[1] / "samples"


def import_cohort() -> User:
    """Import and accept the cohort of Taira et al. 2013; returns the data manager."""
    load_catalogue()
    manager = UserFactory(username="manager", roles=[Role.DATA_MANAGER])
    import_records(
        {
            RowKind.IMPLANT: SAMPLES / "taira-2013-implants.csv",
            RowKind.EVENT: SAMPLES / "taira-2013-events.csv",
        },
        by=manager,
        accept=True,
    )
    return manager
