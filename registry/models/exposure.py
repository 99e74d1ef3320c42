"""Patients, their implanted components, and device time declared without implants."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

from registry.models.access import Site, SiteRowsQuerySet
from registry.models.audit import SealedRecords
from registry.models.fields import CodeSetField
from registry.models.indexes import KeyIndex
from registry.models.rules import (
    all_coded,
    code_field,
    code_set_rule,
    codes_of,
    count_rule,
    model_fits_component_rule,
    months_rule,
    rule,
    source_id_rule,
    year_rule,
)
from registry.records import RowKind
from registry.records.columns import DECLARED, OF_PATIENTS
from registry.vocabulary import (
    AgeBand,
    CatheterModel,
    Component,
    Drug,
    ExitStatus,
    Indication,
    LabelStatus,
    PlacingProcedure,
    PumpModel,
    PumpPlane,
    PumpSite,
    Sex,
    YesNoUnknown,
)

IN_FOLLOW_UP = ("", ExitStatus.ACTIVE.value)
"""Exit statuses of an implant that is still followed; blank is "not recorded"."""

MONTHS_NOT_KNOWN = 13
"""An implant of a year's last day has completed 13 months fewer than the calendar months."""


class PatientQuerySet(SiteRowsQuerySet):
    """Patients of a site."""

    def with_versions(self) -> Self:
        """Each with its version, in the same query."""
        stored = Patient.history.filter(id=OuterRef("pk")).order_by().values("id")
        number = stored.annotate(n=Count("pk")).values("n")
        return self.annotate(version=Coalesce(Subquery(number), 0))


class Patient(models.Model):
    """A person with a system, known by a random code and the site's own random key; no more."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source_id = models.CharField(max_length=40, help_text="The site's own random key.")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="patients")
    sex = code_field(Sex)
    indication = code_field(Indication)

    history = SealedRecords()
    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [KeyIndex(fields=["source_id"], name="registry_patient_by_key")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "source_id"],
                name="%(app_label)s_%(class)s_source_id_once_a_site",
                violation_error_message="The site has a patient of this key already.",
            ),
            source_id_rule(),
            *all_coded(codes_of(OF_PATIENTS)),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @cached_property
    def version(self) -> int:
        """How often it was stored, by its history. One query, unless annotated."""
        count: int = self.history.count()
        return count


class ImplantQuerySet(SiteRowsQuerySet):
    """Implants of a site."""

    def in_follow_up(self) -> Self:
        """Those in follow-up: no end of follow-up is recorded."""
        return self.filter(exit_status__in=IN_FOLLOW_UP)

    def behind(self, *, year: int, month: int) -> Self:
        """Those in follow-up with fewer months on file than have passed with certainty.

        Only the year of implant is stored, so implantation on its last day is assumed.
        """
        passed = self.months_certain(year=year, month=month)
        return self.in_follow_up().filter(months_followed__lt=passed)

    @staticmethod
    def months_certain(*, year: int, month: int) -> CombinedExpression:
        """The months that have passed with certainty since the year of implant."""
        return 12 * (Value(year) - F("implant_year")) + month - MONTHS_NOT_KNOWN


class Implant(models.Model):
    """One implanted component, pump or catheter, and its follow-up on its own clock.

    Months are whole months since its implantation; observation starts after `months_to_entry` of
    them.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source_id = models.CharField(max_length=40, help_text="The site's own random key.")
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="implants", db_index=False
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="implants")
    component = code_field(Component, blank=False)
    pump_model = code_field(PumpModel)
    catheter_model = code_field(CatheterModel)
    implant_year = models.PositiveSmallIntegerField()
    age_band = code_field(AgeBand, help_text="Age at implant.")
    drug = code_field(Drug, help_text="The main drug at entry.")
    adjuncts = CodeSetField(codes=Drug, help_text="Other drugs in the reservoir at entry.")
    label_status = code_field(LabelStatus)
    procedure = code_field(PlacingProcedure, help_text="The procedure that placed it.")
    pump_site = code_field(PumpSite)
    pump_plane = code_field(PumpPlane)
    as_designed = code_field(
        YesNoUnknown, help_text="No where brands or pieces were joined at revision."
    )
    months_to_entry = models.PositiveSmallIntegerField(default=0)
    months_followed = models.PositiveSmallIntegerField()
    exit_status = code_field(ExitStatus)
    refills = models.PositiveIntegerField(null=True, blank=True, help_text="Since entry.")
    procedures = models.PositiveIntegerField(null=True, blank=True, help_text="Since entry.")
    round_number = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last closed follow-up round of its site that it was in.",
    )
    months_at_round = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="Months followed at that round."
    )
    followed_at_round = models.BooleanField(
        default=False, editable=False, help_text="Whether it was in follow-up at that round."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords()
    objects = ImplantQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["site", "seal"], name="registry_implant_by_site"),
            KeyIndex(fields=["source_id"], name="registry_implant_by_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "source_id"],
                name="%(app_label)s_%(class)s_source_id_once_a_site",
                violation_error_message="The site has an implant of this key already.",
            ),
            source_id_rule(),
            *all_coded(
                codes_of(DECLARED[RowKind.IMPLANT], without=OF_PATIENTS), required=["component"]
            ),
            code_set_rule("adjuncts", Drug),
            year_rule("implant_year"),
            months_rule("months_to_entry"),
            months_rule("months_followed"),
            count_rule("refills"),
            count_rule("procedures"),
            model_fits_component_rule(),
            rule(
                "entry_is_not_after_follow_up",
                Q(months_to_entry__lte=F("months_followed")),
                "Months to entry cannot be more than months followed: both count from implant.",
            ),
            rule(
                "a_round_has_its_months",
                Q(round_number=None, months_at_round=None, followed_at_round=False)
                | Q(round_number__isnull=False, round_number__gte=1, months_at_round__isnull=False),
                "An implant of a closed round has its months at that round.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_component_display()} {self.public_id}"

    @property
    def model(self) -> str:
        """The model of its component, empty where not recorded."""
        return self.pump_model if self.component == Component.PUMP else self.catheter_model


class Exposure(models.Model):
    """Device time of one year that a site declares because it cannot send implants."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="exposures")
    year = models.PositiveSmallIntegerField()
    component = code_field(Component, blank=False)
    pump_model = code_field(PumpModel)
    catheter_model = code_field(CatheterModel)
    devices = models.PositiveIntegerField()
    component_months = models.PositiveIntegerField()
    procedures = models.PositiveIntegerField(null=True, blank=True)
    refills = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords()
    objects = SiteRowsQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "year", "component", "pump_model", "catheter_model"],
                name="%(app_label)s_%(class)s_once_a_year",
                violation_error_message="The site has declared this year and model already.",
            ),
            *all_coded(codes_of(DECLARED[RowKind.EXPOSURE]), required=["component"]),
            year_rule("year"),
            count_rule("devices"),
            count_rule("component_months"),
            count_rule("procedures"),
            count_rule("refills"),
            model_fits_component_rule(),
            rule(
                "months_fit_devices",
                Q(component_months__lte=F("devices") * 12),
                "A device has 12 months a year at the most: check devices and months.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}, {self.year}, {self.get_component_display()}"

    @property
    def model(self) -> str:
        """The model of its component, empty where not recorded."""
        return self.pump_model if self.component == Component.PUMP else self.catheter_model
