"""The registry is frozen again for what a snapshot holds, and for nothing else that is sealed."""

from datetime import date
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from registry.models import (
    Category,
    Complication,
    Event,
    Implant,
    Membership,
    Patient,
    Seal,
    Site,
    Token,
    User,
    sealed,
)
from registry.reporting.asking import freshness
from registry.vocabulary import TokenScope
from tests.factories import (
    AgreementFactory,
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    MembershipFactory,
    RoleProposalFactory,
    SiteFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def _frozen() -> None:
    """An event on an implant at one of two sites, and a member of each; all frozen."""
    sites = [SiteFactory(code=code) for code in ("AA", "BB")]
    EventFactory(implant=ImplantFactory(patient__site=sites[0]), site=sites[0])
    for site in sites:
        UserFactory(sites=[site])
    freshness.current()


def change(row: models.Model, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    with sealed(by=None, action="change-for-test") as seal:
        seal.save(row)


def join_both_sites() -> None:
    MembershipFactory(user=Membership.objects.first().user, site=Site.objects.get(code="BB"))


def close_a_round() -> None:
    change(Site.objects.get(code="AA"), round_number=1, round_seal_id=Seal.objects.count())


NEWS = {
    "an event": EventFactory,
    "an event that was withdrawn": lambda: change(
        Event.objects.get(), state="withdrawn", reason="entered-in-error"
    ),
    "an implant": ImplantFactory,
    "months of an implant": lambda: change(Implant.objects.get(), months_followed=77),
    "a patient's sex": lambda: change(Patient.objects.get(), sex="female"),
    "declared exposure": ExposureFactory,
    "a site": SiteFactory,
    "a site's country": lambda: change(Site.objects.get(code="BB"), country="SE"),
    "a site's word": lambda: change(Site.objects.get(code="BB"), pump_implants_from=2019),
    "a closed round": close_a_round,
    "a complication": lambda: ComplicationFactory(code="pump-flip"),
    "a complication's name": lambda: change(Complication.objects.first(), name="Renamed"),
    "a category": lambda: CategoryFactory(code="pump", sort_order=3),
    "a category's name": lambda: change(Category.objects.first(), name="Renamed"),
    "somebody at both sites": join_both_sites,
}
NO_NEWS = {
    "a token": lambda: Token.objects.create(
        user=User.objects.first(), scopes=frozenset(TokenScope)
    ),
    "an agreement": lambda: AgreementFactory(expires_on=date(2100, 1, 1)),
    "a proposal of a role": lambda: RoleProposalFactory(expires_on=date(2100, 1, 1)),
    "a person": UserFactory,
    "somebody at one site": lambda: UserFactory(sites=[Site.objects.get(code="BB")]),
    "a password": lambda: change(User.objects.first(), must_change_password=True),
    "a site's name": lambda: change(Site.objects.get(code="BB"), name="Renamed"),
}


@pytest.mark.usefixtures("_frozen")
@pytest.mark.parametrize("what", NEWS)
def test_what_a_snapshot_holds_is_frozen_again(what: str) -> None:
    before = freshness.current()

    NEWS[what]()

    after = freshness.current()
    assert after.snapshot_id != before.snapshot_id
    assert after.data_as_of == Seal.objects.latest("number").at


@pytest.fixture
def _never_frozen(_frozen: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "freeze_database", None)


@pytest.mark.usefixtures("_never_frozen")
@pytest.mark.parametrize("what", NO_NEWS)
def test_what_no_snapshot_holds_is_no_reason_to_freeze(what: str) -> None:
    before, sealed_before = freshness.current(), Seal.objects.count()

    NO_NEWS[what]()

    assert Seal.objects.count() > sealed_before
    assert freshness.current() == before
    assert freshness.refresh().snapshot_id == before.snapshot_id


@pytest.mark.usefixtures("_never_frozen")
def test_that_nothing_is_new_is_found_once_for_each_seal() -> None:
    UserFactory()
    freshness.current()

    with CaptureQueriesContext(connection) as queries:
        freshness.current()

    assert len(queries) == 1
