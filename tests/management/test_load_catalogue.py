"""manage.py load_catalogue: what it says, the first time and the second."""

import pytest
from django.core.management import call_command

from registry.catalogue import read_catalogue
from registry.intake import change_complication
from registry.models import CatalogueVersion, sealed
from registry.vocabulary import Role
from tests.factories import UserFactory


@pytest.mark.django_db
def test_catalogue_is_loaded_once(capsys):
    version = read_catalogue().version

    call_command("load_catalogue")
    call_command("load_catalogue")

    assert capsys.readouterr().out.splitlines() == [
        f"catalogue {version}: 1388 new, 0 updated, 0 retired, 0 unchanged",
        f"catalogue {version}: 0 new, 0 updated, 0 retired, 1388 unchanged",
    ]


@pytest.mark.django_db
def test_local_edits_that_stand_are_told(capsys):
    call_command("load_catalogue")
    manager = UserFactory(roles=[Role.DATA_MANAGER])
    change_complication("csf-leak", {"clock": "catheter"}, by=manager)
    version = CatalogueVersion.objects.get()
    version.version = "2000.1-000000000000"  # as if an older version had been loaded
    with sealed(by=None, action="make-for-test") as seal:
        seal.save(version)
    capsys.readouterr()

    call_command("load_catalogue")

    assert "csf-leak: the local edit of clock stands" in capsys.readouterr().out.splitlines()
