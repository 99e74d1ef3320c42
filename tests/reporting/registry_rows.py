"""A registry with the published cohort, as an import leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_django import DjangoDbBlocker

from registry.intake import import_records, load_catalogue
from registry.models import User
from registry.records import RowKind
from registry.reporting.asking import freshness
from registry.vocabulary import Role
from tests.factories import UserFactory
from tests.kept_rows import kept_rows, snapshots_in

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


@contextmanager
def cohort_kept(blocker: DjangoDbBlocker, folder: Path) -> Iterator[Path]:
    """The cohort as rows that a module's tests start from, frozen in the folder."""
    with kept_rows(blocker):
        import_cohort()
        with snapshots_in(folder):
            freshness.refresh()
        yield folder
