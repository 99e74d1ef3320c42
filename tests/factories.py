"""Rows for tests; each is written under a seal of its own, so call none inside `sealed`."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from registry.models import (
    Agreement,
    Category,
    Complication,
    Event,
    Exposure,
    Implant,
    Membership,
    Patient,
    RoleProposal,
    Site,
    User,
    sealed,
)
from registry.vocabulary import MembershipRole, Role

FIRST = 1_000
"""Where counted keys begin: above every key that a test writes by hand, so that none meets it."""


class SealedFactory(DjangoModelFactory):
    """Makes rows with a history; `django_get_or_create` takes the one that is there."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        key = {name: kwargs[name] for name in cls._meta.django_get_or_create}
        if key and (found := model_class.objects.filter(**key).first()):
            return found
        instance = model_class(*args, **kwargs)
        with sealed(by=None, action="make-for-test") as seal:
            seal.save(instance)
        return instance


class UserFactory(SealedFactory):
    """A user with the password `demo`; `roles=[Role.REVIEWER]`, `sites=[site]` (as reporter)."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{FIRST + n}")
    is_active = True
    is_staff = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> User:
        user = model_class(**{key: kwargs[key] for key in kwargs if key != "password"})
        user.set_password(kwargs.get("password", "demo"))
        with sealed(by=None, action="make-for-test") as seal:
            seal.save(user)
        return user

    @factory.post_generation
    def roles(self, create: bool, extracted: Any, **_: Any) -> None:
        """Give the user these roles."""
        if extracted:
            with sealed(by=None, action="make-for-test") as seal:
                self.set_roles(extracted, seal=seal)

    @factory.post_generation
    def sites(self, create: bool, extracted: Any, **_: Any) -> None:
        """Make the user a reporter of these sites."""
        for site in extracted or ():
            MembershipFactory(user=self, site=site)


class SiteFactory(SealedFactory):
    """An active site."""

    class Meta:
        model = Site

    code = factory.Sequence(lambda n: f"SITE-{FIRST + n}")
    name = "A hospital"
    country = "NL"


class MembershipFactory(SealedFactory):
    """A reporter's place at a site."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    site = factory.SubFactory(SiteFactory)
    role = MembershipRole.REPORTER
    active = True


class AgreementFactory(SealedFactory):
    """A data-use agreement that was granted; say when it expires."""

    class Meta:
        model = Agreement

    user = factory.SubFactory(UserFactory)
    reference = factory.Sequence(lambda n: f"DUA-{n}")
    purpose = "A study of catheter failure."
    answerable = "Dr Meier, Bern"
    decision = "granted"


class RoleProposalFactory(SealedFactory):
    """The role of a reviewer, proposed for somebody; say by whom and until when."""

    class Meta:
        model = RoleProposal

    user = factory.SubFactory(UserFactory)
    role = Role.REVIEWER
    proposed_by = factory.SubFactory(UserFactory)


class CategoryFactory(SealedFactory):
    """The catheter category, unless another code is named."""

    class Meta:
        model = Category
        django_get_or_create = ["code"]

    code = "catheter"
    name = factory.LazyAttribute(lambda category: category.code.capitalize())
    definition = "Mechanical or positional failure of the catheter or its joints."
    natural_denominator = "catheter-months"
    sort_order = 2


class ComplicationFactory(SealedFactory):
    """Catheter migration, unless another code is named."""

    class Meta:
        model = Complication
        django_get_or_create = ["code"]

    code = "catheter-migration"
    name = factory.LazyAttribute(lambda complication: complication.code.replace("-", " "))
    category = factory.SubFactory(CategoryFactory)
    definition = "The tip has left the place where it was put."
    origin = "catheter"
    clock = "catheter"
    natural_denominator = "catheter-months"
    evidence = "seen"


class PatientFactory(SealedFactory):
    """A man with multiple sclerosis."""

    class Meta:
        model = Patient

    source_id = factory.Sequence(lambda n: f"p{FIRST + n}")
    site = factory.SubFactory(SiteFactory)
    sex = "male"
    indication = "multiple-sclerosis"


class ImplantFactory(SealedFactory):
    """A pump followed for five years from 2010, or with `catheter=True` its catheter."""

    class Meta:
        model = Implant

    class Params:
        catheter = factory.Trait(component="catheter", pump_model="", catheter_model="ascenda")

    source_id = factory.Sequence(lambda n: f"i{FIRST + n}")
    patient = factory.SubFactory(PatientFactory)
    site = factory.SelfAttribute("patient.site")
    component = "pump"
    pump_model = "synchromed-ii-20"
    implant_year = 2010
    age_band = "40-64"
    drug = "baclofen"
    label_status = "on-label-mono"
    procedure = "primary-implant"
    months_followed = 60
    exit_status = "active"
    refills = 20
    procedures = 1


class ExposureFactory(SealedFactory):
    """Ten pumps declared for the whole of 2015."""

    class Meta:
        model = Exposure

    site = factory.SubFactory(SiteFactory)
    year = 2015
    component = "pump"
    devices = 10
    component_months = 120


class EventFactory(SealedFactory):
    """An accepted catheter migration that was not serious; `implant=` ties it to a device."""

    class Meta:
        model = Event

    implant = None
    site = factory.Maybe(
        "implant", factory.SelfAttribute("implant.site"), factory.SubFactory(SiteFactory)
    )
    source_id = factory.Sequence(lambda n: f"e{FIRST + n}")
    patient = factory.Maybe("implant", factory.SelfAttribute("implant.patient"), None)
    complication = factory.SubFactory(ComplicationFactory)
    reported_complication = factory.SelfAttribute("complication")
    year = 2011
    months_since_implant = factory.Maybe("implant", 12, None)
    severity = 2
    seriousness = frozenset({"none"})
    outcome = "recovered"
    actuality = "actual"
    state = "accepted"
