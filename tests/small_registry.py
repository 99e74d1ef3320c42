"""A registry that pages are tried on, with rows at one site and somebody of each role."""

from django.core.management import call_command

from registry.vocabulary import Role
from tests.factories import EventFactory, ImplantFactory, PatientFactory, SiteFactory, UserFactory


def fill() -> None:
    """The shipped catalogue, a site with devices and events, a release, and people to sign in."""
    call_command("load_catalogue", verbosity=0)
    site = SiteFactory(code="OWN-1")
    for code in ("FAR-2", "FAR-3"):  # protected answers need three hands
        SiteFactory(code=code)
    for number in range(12):
        patient = PatientFactory(site=site)
        pump = ImplantFactory(patient=patient, source_id=f"i-own-{number}")
        catheter = ImplantFactory(patient=patient, catheter=True)
        if number < 2:
            EventFactory(implant=catheter)
    EventFactory(site=site, source_id="e-own", state="draft")
    EventFactory(implant=pump, source_id="e-snt", state="submitted")
    UserFactory(username="reporter", roles=[Role.SITE_STAFF], sites=[site])
    UserFactory(username="reviewer", roles=[Role.REVIEWER])
    UserFactory(username="manager", roles=[Role.DATA_MANAGER])
    UserFactory(username="auditor", roles=[Role.AUDITOR])
    UserFactory(username="researcher", roles=[Role.RESEARCHER], is_staff=False)
    call_command("freeze", release="2026Q4", verbosity=0)
