"""A site with a patient on file, and the people who come in by its doors."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from registry.models import Implant, User
from registry.vocabulary import Role
from tests.admin.conftest import BACKEND
from tests.api.conftest import client_of
from tests.doors.declared import KEYS, TIMES
from tests.factories import EventFactory, ImplantFactory, PatientFactory, SiteFactory, UserFactory


@dataclass(frozen=True)
class Caller:
    """A data manager: at a browser, with a token, and at the command line in a folder."""

    user: User
    browser: Client
    api: APIClient
    folder: Path


@pytest.fixture
def caller(db: None, tmp_path: Path) -> Caller:
    """Somebody who may use every door of every site."""
    cache.clear()
    call_command("load_catalogue", verbosity=0)
    user = UserFactory(username="manager", roles=[Role.DATA_MANAGER])
    browser = Client()
    browser.force_login(user, backend=BACKEND)
    return Caller(user, browser, client_of(user), tmp_path)


@pytest.fixture
def on_file(caller: Caller) -> Implant:
    """A pump at the site that rows are sent for, with an event that may have caused others."""
    patient = PatientFactory(site=SiteFactory(code=KEYS["site"]), source_id="p-on-fle")
    pump: Implant = ImplantFactory(
        patient=patient,
        source_id="i-on-fle",
        implant_year=TIMES["implant_year"],
        months_followed=TIMES["months_followed"],
    )
    EventFactory(implant=pump, source_id=KEYS["caused_by"], year=2016, months_since_implant=12)
    return pump
